//! A plain client of the server: real HTTP, with a token asked for like anybody's.

use anyhow::{Context, Result, bail};
use reqwest::Method;
use serde_json::Value;

/// A client with a token.
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    token: String,
}

/// A request and its reply.
pub(crate) struct Exchange {
    method: Method,
    path: String,
    pub(crate) sent: Option<String>,
    pub(crate) status: u16,
    reply: Value,
}

impl Client {
    /// Asks for a token with an application's credentials.
    ///
    /// # Errors
    /// When the server cannot be reached or grants none.
    pub(crate) async fn sign_in(base: &str, client_id: &str, client_secret: &str) -> Result<Self> {
        let http = reqwest::Client::builder().tls_certs_only([]).build()?;
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", "open-api"),
            ("client_id", client_id),
            ("client_secret", client_secret),
        ];
        let reply = http
            .post(format!("{base}/oauth2/token"))
            .form(&form)
            .send()
            .await?;
        let (status, text) = (reply.status(), reply.text().await?);
        let token: Value = serde_json::from_str(&text)
            .with_context(|| format!("the token endpoint answered {status}: {text}"))?;
        let Some(token) = token["access_token"].as_str() else {
            bail!("the token endpoint answered {status}: {text}");
        };
        Ok(Self {
            http,
            base: base.to_owned(),
            token: token.to_owned(),
        })
    }

    /// GET.
    pub(crate) async fn get(&self, path: &str) -> Result<Exchange> {
        self.send(Method::GET, path, None).await
    }

    /// POST of a JSON body.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Exchange> {
        self.send(Method::POST, path, Some(body.to_string())).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<String>) -> Result<Exchange> {
        let mut request = self
            .http
            .request(method.clone(), format!("{}{path}", self.base))
            .bearer_auth(&self.token);
        if let Some(body) = &body {
            request = request
                .header("content-type", "application/json")
                .body(body.clone());
        }
        let reply = request.send().await?;
        let (status, text) = (reply.status().as_u16(), reply.text().await?);
        let reply = serde_json::from_str(&text)
            .with_context(|| format!("{method} {path} answered {status}: {text}"))?;
        Ok(Exchange {
            method,
            path: path.to_owned(),
            sent: body,
            status,
            reply,
        })
    }
}

impl Exchange {
    /// The request's first line.
    pub(crate) fn request(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The reply, which must have this status.
    ///
    /// # Errors
    /// With the reply when it has another.
    pub(crate) fn expect(&self, status: u16) -> Result<&Value> {
        if self.status != status {
            bail!(
                "{} answered {} instead of {status}: {}",
                self.request(),
                self.status,
                self.reply
            );
        }
        Ok(&self.reply)
    }
}
