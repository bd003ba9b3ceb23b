//! Where a token is kept between calls, and between processes.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tokio::sync::OwnedMutexGuard;

use super::Token;

/// The place where a token is kept does not work.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TokenStoreError(Box<dyn std::error::Error + Send + Sync>);

impl TokenStoreError {
    /// What went wrong.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

impl From<serde_json::Error> for TokenStoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::new(format!("a token that was kept cannot be read: {error}"))
    }
}

/// Keeps the token of one application. All processes that use the application share it, so that
/// one of them asks for the next token and the others find it here.
#[async_trait]
pub trait TokenStore: Send + Sync {
    /// The token, without waiting for whoever holds the lock.
    async fn load(&self) -> Result<Option<Token>, TokenStoreError>;

    /// Waits until no other process asks for a token, and keeps the others from it. A lock whose
    /// holder died must be free again after a minute or so.
    async fn lock(&self) -> Result<Box<dyn TokenLease>, TokenStoreError>;
}

/// The right to ask for a token.
#[async_trait]
pub trait TokenLease: Send {
    /// The token, as the last holder left it.
    async fn load(&mut self) -> Result<Option<Token>, TokenStoreError>;

    /// Keeps another token from now on.
    async fn save(&mut self, token: &Token) -> Result<(), TokenStoreError>;

    /// Lets the others go on.
    async fn release(self: Box<Self>);
}

/// Keeps a token for as long as the process lives.
#[derive(Debug, Clone, Default)]
pub struct MemoryTokens {
    token: Arc<Mutex<Option<Token>>>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl MemoryTokens {
    /// Begins with a token.
    pub fn with(token: Token) -> Self {
        let tokens = Self::default();
        tokens.put(token);
        tokens
    }

    fn get(&self) -> Option<Token> {
        let token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        token.clone()
    }

    fn put(&self, token: Token) {
        let mut place = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        *place = Some(token);
    }
}

#[async_trait]
impl TokenStore for MemoryTokens {
    async fn load(&self) -> Result<Option<Token>, TokenStoreError> {
        Ok(self.get())
    }

    async fn lock(&self) -> Result<Box<dyn TokenLease>, TokenStoreError> {
        Ok(Box::new(MemoryLease {
            tokens: self.clone(),
            _turn: Arc::clone(&self.turn).lock_owned().await,
        }))
    }
}

struct MemoryLease {
    tokens: MemoryTokens,
    _turn: OwnedMutexGuard<()>,
}

#[async_trait]
impl TokenLease for MemoryLease {
    async fn load(&mut self) -> Result<Option<Token>, TokenStoreError> {
        Ok(self.tokens.get())
    }

    async fn save(&mut self, token: &Token) -> Result<(), TokenStoreError> {
        self.tokens.put(token.clone());
        Ok(())
    }

    async fn release(self: Box<Self>) {}
}
