//! Secrets that the source may echo, cut out of whatever is repeated of its words.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD};
use zeroize::Zeroizing;

use crate::secret::{Credentials, Secret};

/// What stands in a secret's place.
const CUT: &str = "[secret]";
/// A shorter text is a word like others ("secret"), and keeps nothing secret.
const SECRET_BYTES_MIN: usize = 7;
/// Of tokens and keys of webhooks the last ones are kept: those before are used no more.
const LEARNED_MAX: usize = 8;

/// The secrets of one connection, and the texts that give them away.
#[derive(Debug)]
pub(crate) struct Hidden {
    credentials: Credentials,
    learned: Mutex<VecDeque<Secret>>,
}

impl Hidden {
    pub(crate) fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            learned: Mutex::default(),
        }
    }

    /// One more that must not be shown.
    pub(crate) fn learn(&self, secret: &Secret) {
        let mut learned = self.learned();
        if !learned.contains(secret) {
            learned.push_back(secret.clone());
            if learned.len() > LEARNED_MAX {
                learned.pop_front();
            }
        }
    }

    /// A text of the source without the secrets, however it writes them.
    pub(crate) fn cut<'a>(&self, text: impl Into<Cow<'a, str>>) -> Cow<'a, str> {
        let text = text.into();
        let forms = self.forms();
        let mut shown = String::new();
        let mut rest: &str = &text;
        while let Some((at, length)) = first_of(&forms, rest) {
            shown.push_str(&rest[..at]);
            shown.push_str(CUT);
            rest = &rest[at + length..];
        }
        if shown.is_empty() {
            return text;
        }
        shown.push_str(rest);
        Cow::Owned(shown)
    }

    fn forms(&self) -> Vec<Zeroizing<String>> {
        let Credentials {
            client_id,
            client_secret,
        } = &self.credentials;
        let mut forms = forms_of(client_secret.reveal());
        if !forms.is_empty() {
            // As HTTP's Basic scheme has it, with and without OAuth's encoding of its parts.
            let secret = client_secret.reveal();
            forms.extend(encoded(&Zeroizing::new(format!("{client_id}:{secret}"))));
            let (id, secret) = (percent(client_id, true), percent(secret, true));
            forms.extend(encoded(&Zeroizing::new(format!("{}:{}", *id, *secret))));
        }
        for secret in self.learned().iter() {
            forms.extend(forms_of(secret.reveal()));
        }
        forms
    }

    fn learned(&self) -> MutexGuard<'_, VecDeque<Secret>> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Form = Zeroizing<String>;

/// Where the first of them begins in a text, and the length of the longest that begins there.
fn first_of(forms: &[Form], text: &str) -> Option<(usize, usize)> {
    let found = forms
        .iter()
        .filter_map(|form| Some((text.find(form.as_str())?, form.len())));
    found.min_by_key(|(at, length)| (*at, Reverse(*length)))
}

fn forms_of(secret: &str) -> Vec<Form> {
    if secret.len() < SECRET_BYTES_MIN {
        return Vec::new();
    }
    let mut forms = vec![
        Zeroizing::new(secret.to_owned()),
        percent(secret, true),
        percent(secret, false),
        // As form fields have it.
        Zeroizing::new(percent(secret, true).replace("%20", "+")),
        escaped(secret, json_escape),
        escaped(secret, html_escape),
    ];
    forms.extend(encoded(secret));
    forms
}

fn encoded(text: &str) -> [Form; 4] {
    let bytes = text.as_bytes();
    [BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD]
        .map(|base64| Zeroizing::new(base64.encode(bytes)))
}

fn percent(text: &str, is_upper: bool) -> Form {
    let mut form = Zeroizing::new(String::with_capacity(text.len() * 3));
    for byte in text.bytes() {
        // A text takes whatever is written to it.
        let _ = if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            write!(form, "{}", char::from(byte))
        } else if is_upper {
            write!(form, "%{byte:02X}")
        } else {
            write!(form, "%{byte:02x}")
        };
    }
    form
}

fn escaped(text: &str, escape: fn(char) -> Option<&'static str>) -> Form {
    let mut form = Zeroizing::new(String::with_capacity(text.len() * 2));
    for c in text.chars() {
        match escape(c) {
            Some(escape) => form.push_str(escape),
            None => form.push(c),
        }
    }
    form
}

fn json_escape(c: char) -> Option<&'static str> {
    Some(match c {
        '"' => "\\\"",
        '\\' => "\\\\",
        _ => return None,
    })
}

fn html_escape(c: char) -> Option<&'static str> {
    Some(match c {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '"' => "&quot;",
        '\'' => "&#39;",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden() -> Hidden {
        Hidden::new(Credentials::new("0oaTEST", "a/b+c \"d&e=="))
    }

    #[test]
    fn a_secret_is_cut_out_in_every_form_that_a_source_writes() {
        for (form, shown) in [
            ("bad secret a/b+c \"d&e==!", "bad secret [secret]!"),
            ("secret=a%2Fb%2Bc%20%22d%26e%3D%3D&x", "secret=[secret]&x"),
            ("secret=a%2fb%2bc%20%22d%26e%3d%3d&x", "secret=[secret]&x"),
            ("secret=a%2Fb%2Bc+%22d%26e%3D%3D&x", "secret=[secret]&x"),
            (r#"["a/b+c \"d&e=="]"#, r#"["[secret]"]"#),
            ("<i>a/b+c &quot;d&amp;e==</i>", "<i>[secret]</i>"),
        ] {
            assert_eq!(hidden().cut(form), shown);
        }
        for text in [
            "a/b+c \"d&e==",
            "0oaTEST:a/b+c \"d&e==",
            "0oaTEST:a%2Fb%2Bc%20%22d%26e%3D%3D",
        ] {
            for base64 in [BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD] {
                let basic = format!("Basic {} no", base64.encode(text.as_bytes()));
                assert_eq!(hidden().cut(basic.as_str()), "Basic [secret] no", "{basic}");
            }
        }
        assert_eq!(hidden().cut("who is 0oaTEST?"), "who is 0oaTEST?");
    }

    #[test]
    fn what_is_learned_is_cut_out_and_the_credentials_are_never_forgotten() {
        let hidden = hidden();
        for number in 0..100 {
            hidden.learn(&Secret::new(format!("token-{number:03}")));
            hidden.learn(&Secret::new("token-099"));
        }
        assert_eq!(
            hidden.cut("token-098, token-099, a/b+c \"d&e=="),
            "[secret], [secret], [secret]"
        );
        assert!(hidden.learned().len() <= LEARNED_MAX);
    }

    #[test]
    fn a_connection_without_a_secret_shows_texts_as_they_are() {
        let none = Hidden::new(Credentials::new("id", ""));
        none.learn(&Secret::new(""));
        assert_eq!(none.cut("id: no such thing"), "id: no such thing");
    }
}
