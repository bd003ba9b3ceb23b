//! A server that answers as a test says, and remembers what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use contract::Timestamp;
use guesty::{Credentials, Guesty, Limits, MemoryTokens, Reader, RetryPolicy, Settings, WallClock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What was asked.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub token: String,
    pub body: String,
}

impl Request {
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut named = self.query.iter().filter(|(key, _)| key == name);
        named.next().map(|(_, value)| value.as_str())
    }

    pub fn number(&self, name: &str) -> usize {
        self.parameter(name).unwrap().parse().unwrap()
    }
}

/// What to do about it.
pub enum Reaction {
    Reply {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// The reply announces more than it has.
    Truncated(String),
    /// The connection ends without a word.
    Close,
    /// Nothing comes.
    Silence,
}

pub fn json(status: u16, body: impl Into<String>) -> Reaction {
    Reaction::Reply {
        status,
        headers: vec![("content-type", "application/json".to_owned())],
        body: body.into(),
    }
}

pub fn with_header(status: u16, name: &'static str, value: &str, body: &str) -> Reaction {
    Reaction::Reply {
        status,
        headers: vec![(name, value.to_owned())],
        body: body.to_owned(),
    }
}

/// A token that is good for a day: `token-1`, `token-2`, …
pub fn granted(number: usize) -> Reaction {
    json(
        200,
        format!(
            r#"{{"token_type":"Bearer","expires_in":86400,"access_token":"token-{number}","scope":"open-api"}}"#
        ),
    )
}

type Asked = Arc<Mutex<Vec<Request>>>;

/// A running server; it ends with the test.
pub struct Server {
    pub address: SocketAddr,
    asked: Asked,
}

impl Server {
    /// Answers everything but requests for tokens, of which it grants as many as are wanted.
    pub async fn start(answer: impl Fn(&Request) -> Reaction + Send + Sync + 'static) -> Self {
        let tokens = Mutex::new(0);
        Self::start_with_tokens(move |request| {
            if request.path != "/oauth2/token" {
                return answer(request);
            }
            let mut tokens = tokens.lock().unwrap();
            *tokens += 1;
            granted(*tokens)
        })
        .await
    }

    /// Answers everything, requests for tokens too.
    pub async fn start_with_tokens(
        answer: impl Fn(&Request) -> Reaction + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Asked::default();
        let remembered = Arc::clone(&asked);
        let answer = Arc::new(answer);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, asked) = (Arc::clone(&answer), Arc::clone(&remembered));
                tokio::spawn(async move { serve(stream, &*answer, &asked).await });
            }
        });
        Self { address, asked }
    }

    /// Everything that was asked, in its order.
    pub fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }

    /// How often a path was asked for.
    pub fn count(&self, path: &str) -> usize {
        let asked = self.asked();
        asked.iter().filter(|request| request.path == path).count()
    }

    pub fn settings(&self) -> Settings {
        settings(&format!("http://{}", self.address))
    }

    pub fn guesty(&self) -> Guesty {
        Guesty::new(self.settings()).unwrap()
    }

    pub fn reader(&self) -> Reader {
        self.guesty().reader()
    }
}

/// Settings for a test: no limits that matter, and hardly any wait between tries.
pub fn settings(base: &str) -> Settings {
    Settings {
        base_url: base.parse().unwrap(),
        limits: Limits {
            per_second: 100_000,
            per_minute: 1_000_000,
            per_hour: 1_000_000,
            ..Limits::full_speed()
        },
        retry: RetryPolicy {
            first_wait: Duration::from_millis(1),
            longest_wait: Duration::from_millis(2),
            ..RetryPolicy::default()
        },
        timeout: Duration::from_secs(20),
        ..Settings::new(Credentials::new(" 0oaTEST ", "s3cr3t of-the-app\n"))
    }
}

/// A clock that a test moves, and the tokens of an application.
#[derive(Clone, Default)]
pub struct Desk {
    now: Arc<Mutex<i64>>,
    pub tokens: MemoryTokens,
}

impl Desk {
    pub fn new() -> Self {
        let desk = Self::default();
        *desk.now.lock().unwrap() = 1_700_000_000_000;
        desk
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(*self.now.lock().unwrap())
    }

    pub fn pass(&self, minutes: i64) {
        *self.now.lock().unwrap() += minutes * 60_000;
    }

    /// Another process of the same application.
    pub fn process(&self, server: &Server) -> Reader {
        let clock = self.clone();
        let settings = Settings {
            tokens: Arc::new(self.tokens.clone()),
            clock: WallClock::new(move || clock.now()),
            ..server.settings()
        };
        Guesty::new(settings).unwrap().reader()
    }
}

async fn serve(
    mut stream: TcpStream,
    answer: &(dyn Fn(&Request) -> Reaction + Sync),
    asked: &Asked,
) {
    let Some(request) = receive(&mut stream).await else {
        return;
    };
    asked.lock().unwrap().push(request.clone());
    let reply = match answer(&request) {
        Reaction::Reply {
            status,
            headers,
            body,
        } => {
            let length = body.len();
            let mut lines = vec![
                format!("HTTP/1.1 {status} X"),
                "connection: close".to_owned(),
                format!("content-length: {length}"),
            ];
            lines.extend(
                headers
                    .iter()
                    .map(|(name, value)| format!("{name}: {value}")),
            );
            format!("{}\r\n\r\n{body}", lines.join("\r\n"))
        }
        Reaction::Truncated(body) => format!(
            "HTTP/1.1 200 X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len() + 10
        ),
        Reaction::Close => return,
        Reaction::Silence => std::future::pending().await,
    };
    // The client may have gone away, which is its business.
    let _ = stream.write_all(reply.as_bytes()).await;
    let _ = stream.shutdown().await;
}

async fn receive(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let header = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(": "));
            lines
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.to_owned())
        };
        let length = header("content-length").map_or(0, |length| length.parse().unwrap());
        if body.len() < length {
            continue;
        }
        let mut words = head.split(' ');
        let method = words.next()?.to_owned();
        let url = reqwest::Url::parse(&format!("http://x{}", words.next()?)).ok()?;
        let token = header("authorization").unwrap_or_default();
        return Some(Request {
            method,
            path: url.path().to_owned(),
            query: url.query_pairs().into_owned().collect(),
            token: token.strip_prefix("Bearer ").unwrap_or(&token).to_owned(),
            body: body.to_owned(),
        });
    }
}
