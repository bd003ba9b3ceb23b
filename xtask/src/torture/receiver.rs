//! A subscriber: it verifies what arrives, and remembers it. One message in sixteen it refuses when
//! it first comes, as receivers do in their bad moments.

use std::cell::RefCell;
use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::rc::Rc;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::task::spawn_local;

use super::chance::Chance;

/// A receiver that listens until the round is over.
pub(super) struct Receiver {
    address: SocketAddr,
    post: Rc<RefCell<Post>>,
}

/// What has arrived.
struct Post {
    key: Option<Vec<u8>>,
    chance: Chance,
    /// By the messages' ids.
    messages: HashMap<String, Message>,
    /// What was not as it must be.
    complaints: Vec<String>,
}

struct Message {
    text: Bytes,
    body: Value,
    is_taken: bool,
}

impl Receiver {
    pub(super) async fn start(chance: Chance) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let post = Rc::new(RefCell::new(Post {
            key: None,
            chance,
            messages: HashMap::new(),
            complaints: Vec::new(),
        }));
        spawn_local(listen(listener, Rc::clone(&post)));
        Ok(Self { address, post })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/events", self.address)
    }

    /// Takes only what is signed with this secret.
    pub(super) fn trust(&self, secret: &str) -> Result<()> {
        let key = secret.strip_prefix("whsec_").context("not a secret")?;
        self.post.borrow_mut().key = Some(BASE64.decode(key.as_bytes())?);
        Ok(())
    }

    /// The different messages that were taken, each once.
    pub(super) fn taken(&self) -> Vec<Value> {
        let post = self.post.borrow();
        let taken = post.messages.values().filter(|message| message.is_taken);
        taken.map(|message| message.body.clone()).collect()
    }

    /// What was not as it must be.
    pub(super) fn complaints(&self) -> Vec<String> {
        self.post.borrow().complaints.clone()
    }
}

async fn listen(listener: TcpListener, post: Rc<RefCell<Post>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let post = Rc::clone(&post);
        let answer = service_fn(move |request| receive(request, Rc::clone(&post)));
        spawn_local(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}

async fn receive(
    request: Request<Incoming>,
    post: Rc<RefCell<Post>>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let mut response = Response::new(Empty::new());
    // A server that is killed while it sends has sent nothing.
    if let Ok(body) = body.collect().await {
        *response.status_mut() = post.borrow_mut().receive(&head.headers, body.to_bytes());
    }
    Ok(response)
}

impl Post {
    fn receive(&mut self, headers: &HeaderMap, text: Bytes) -> StatusCode {
        let (id, body) = match self.verify(headers, &text) {
            Ok(verified) => verified,
            Err(error) => {
                self.complaints.push(format!("a message: {error:#}"));
                return StatusCode::BAD_REQUEST;
            }
        };
        if let Some(known) = self.messages.get_mut(&id) {
            if known.text != text {
                self.complaints
                    .push(format!("message {id} came with another body"));
            }
            known.is_taken = true;
            return StatusCode::OK;
        }
        let is_taken = self.chance.below(16) > 0;
        let message = Message {
            text,
            body,
            is_taken,
        };
        self.messages.insert(id, message);
        if is_taken {
            StatusCode::OK
        } else {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }

    fn verify(&self, headers: &HeaderMap, text: &Bytes) -> Result<(String, Value)> {
        let header = |name: &str| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.with_context(|| format!("no header {name}"))
        };
        let (id, timestamp) = (header("svix-id")?, header("svix-timestamp")?);
        let key = self.key.as_ref().context("nobody has subscribed yet")?;
        let mut mac = Hmac::<Sha256>::new_from_slice(key)?;
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(text);
        let expected = format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()));
        if header("svix-signature")? != expected {
            bail!("{id} is not signed with the secret");
        }
        Ok((id.to_owned(), serde_json::from_slice(text)?))
    }
}
