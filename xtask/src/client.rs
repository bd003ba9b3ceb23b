//! One keep-alive connection to the server.

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::http::request::Builder;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

pub(crate) struct Client {
    sender: SendRequest<Full<Bytes>>,
    address: String,
    authorization: Option<String>,
}

impl Client {
    pub(crate) async fn connect(address: &str, token: Option<&str>) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // It ends with the sender; what goes wrong on it, the sender tells.
        tokio::spawn(connection);
        Ok(Self {
            sender,
            address: address.to_owned(),
            authorization: token.map(|token| format!("Bearer {token}")),
        })
    }

    /// Posts a body, and reads the reply whole.
    pub(crate) async fn post(
        &mut self,
        path: &str,
        content_type: &str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes)> {
        let request = Request::builder()
            .method(Method::POST)
            .header(CONTENT_TYPE, content_type);
        self.send(path, request, body).await
    }

    /// Gets, and reads the reply whole.
    pub(crate) async fn get(&mut self, path: &str) -> Result<(StatusCode, Bytes)> {
        self.send(path, Request::builder(), Bytes::new()).await
    }

    /// Sends JSON, or nothing, by any method, perhaps under an `Idempotency-Key`, and reads the reply
    /// whole.
    pub(crate) async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
        key: Option<&str>,
    ) -> Result<(StatusCode, Bytes)> {
        let mut request = Request::builder()
            .method(method)
            .header(CONTENT_TYPE, "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.send(path, request, body).await
    }

    async fn send(
        &mut self,
        path: &str,
        request: Builder,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes)> {
        let mut request = request.uri(path).header(HOST, &self.address);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        self.sender.ready().await?;
        let reply = self
            .sender
            .send_request(request.body(Full::new(body))?)
            .await?;
        let status = reply.status();
        Ok((status, reply.into_body().collect().await?.to_bytes()))
    }

    /// Posts JSON that must be accepted.
    pub(crate) async fn make(&mut self, path: &str, body: &Value) -> Result<Value> {
        let body = Bytes::from(body.to_string());
        let (status, reply) = self.post(path, "application/json", body).await?;
        if !status.is_success() {
            bail!("POST {path}: {status} {}", String::from_utf8_lossy(&reply));
        }
        serde_json::from_slice(&reply).with_context(|| format!("POST {path}: no JSON"))
    }
}
