//! Why a connection is not safe, in plain words.

use std::error::Error as _;

use rustls::{CertificateError, Error, InvalidMessage};

const NO_TLS: &str = "what answers there does not speak TLS: check the port, or whether the address is \
                      to begin with http://";
const OF_AN_AUTHORITY: &str = "its certificate is that of an authority, such as a plain openssl req \
                               -x509 makes, and no server's: have a server's certificate signed with \
                               it, and name the authority's own in SSL_CERT_FILE";
const OF_NOBODY_KNOWN: &str = "nobody whom this machine trusts has signed its certificate: if an \
                               authority of your own has, name that authority's certificate in \
                               SSL_CERT_FILE; else check the address";

/// What the TLS library says, wherever it is wrapped.
pub(crate) fn tls_error(error: &reqwest::Error) -> Option<String> {
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<Error>() {
            return Some(in_words(tls));
        }
        // An I/O error passes over what it wraps when it is asked for its source.
        let wrapped = (error.downcast_ref::<std::io::Error>()).and_then(std::io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

fn in_words(error: &Error) -> String {
    match error {
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => NO_TLS.to_owned(),
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => OF_NOBODY_KNOWN.to_owned(),
        // The library has no name of its own for it.
        Error::InvalidCertificate(CertificateError::Other(other))
            if format!("{other:?}").contains("CaUsedAsEndEntity") =>
        {
            OF_AN_AUTHORITY.to_owned()
        }
        other => format!("{other}; check the address, its certificate and this machine's clock"),
    }
}
