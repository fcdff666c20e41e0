//! What went wrong, as the text of an error answer.

use std::any::Any;
use std::fmt;

use biscuit_auth::error;

pub struct Failure(String);

impl Failure {
    pub fn new(message: impl Into<String>) -> Self {
        Failure(message.into())
    }

    pub fn panic(cause: &Box<dyn Any + Send>) -> Self {
        let text = cause
            .downcast_ref::<&str>()
            .map(|s| s.to_string())
            .or_else(|| cause.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        Failure(format!("panic: {text}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// The Display form of the reference's errors leaves out the cause.
impl From<error::Token> for Failure {
    fn from(e: error::Token) -> Self {
        Failure(format!("{e}: {e:?}"))
    }
}

impl From<error::Format> for Failure {
    fn from(e: error::Format) -> Self {
        error::Token::from(e).into()
    }
}

impl From<hex::FromHexError> for Failure {
    fn from(e: hex::FromHexError) -> Self {
        Failure(format!("invalid hexadecimal: {e}"))
    }
}

impl From<prost::DecodeError> for Failure {
    fn from(e: prost::DecodeError) -> Self {
        Failure(format!("invalid protobuf: {e}"))
    }
}

impl From<prost::EncodeError> for Failure {
    fn from(e: prost::EncodeError) -> Self {
        Failure(format!("cannot write protobuf: {e}"))
    }
}

impl From<serde_json::Error> for Failure {
    fn from(e: serde_json::Error) -> Self {
        Failure(format!("invalid JSON: {e}"))
    }
}
