//! A connection that sends messages, one after the other.

use std::net::SocketAddr;

use chrono::Utc;
use standardwebhooks::Webhook;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) struct Sender {
    stream: TcpStream,
    path: String,
    answer: Vec<u8>,
}

impl Sender {
    pub(crate) async fn connect(address: SocketAddr, path: String) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            path,
            answer: Vec::new(),
        }
    }

    /// Sends a message that must be accepted.
    pub(crate) async fn send(&mut self, signer: &Webhook, number: usize, body: &[u8]) {
        let (id, seconds) = (format!("msg_{number}"), Utc::now().timestamp());
        let signature = signer.sign(&id, seconds, body).unwrap();
        let mut request = format!(
            "POST {} HTTP/1.1\r\nhost: books\r\ncontent-length: {}\r\nsvix-id: {id}\r\n\
             svix-timestamp: {seconds}\r\nsvix-signature: {signature}\r\n\r\n",
            self.path,
            body.len(),
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.stream.write_all(&request).await.unwrap();
        self.answer.clear();
        while !self.answer.ends_with(b"\r\n\r\n") {
            let read = self.stream.read_buf(&mut self.answer).await.unwrap();
            assert!(read > 0, "the connection ended");
        }
        let answer = String::from_utf8_lossy(&self.answer);
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    }
}
