//! Who steward is to Firestore: a service account, whose key signs what is exchanged for a token (RFC 7523).

use std::{
    fmt, fs,
    path::Path,
    time::{Duration, Instant},
};

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use reqwest::Client as Http;
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

use super::{address::Access, failure::Failure};
use crate::{
    clock::Clock,
    error::{Error, Result},
};

/// What steward asks for.
const SCOPE: &str = "https://www.googleapis.com/auth/datastore";
/// How long a signed request holds, in seconds: the most that Google takes.
const LIFETIME: i64 = 3_600;
/// How long before its end a token is no longer used.
const MARGIN: Duration = Duration::from_secs(60);

/// Gives out the token that requests carry.
pub(super) struct Tokens {
    /// None for an emulator.
    account: Option<Account>,
    clock: Clock,
    /// The last token, and until when it is used.
    last: Mutex<Option<(String, Instant)>>,
}

struct Account {
    email: String,
    token_url: String,
    key: RsaKeyPair,
}

/// What the file of an account has, as far as it is read.
#[derive(Deserialize)]
struct KeyFile {
    client_email: String,
    private_key: String,
    token_uri: String,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
}

impl Tokens {
    /// # Errors
    /// [`Error::NotConfigured`] where the file is no key of an account.
    pub(super) fn of(access: &Access, clock: Clock) -> Result<Self> {
        let account = match access {
            Access::Emulator => None,
            Access::ServiceAccount(file) => Some(Account::read(file)?),
        };
        Ok(Self { account, clock, last: Mutex::default() })
    }

    /// The token of now.
    pub(super) async fn get(&self, http: &Http) -> Result<String, Failure> {
        let Some(account) = &self.account else { return Ok("owner".to_owned()) };
        let mut last = self.last.lock().await;
        if let Some((token, until)) = &*last
            && Instant::now() < *until
        {
            return Ok(token.clone());
        }
        let asked = Instant::now();
        let assertion = account.assertion(self.clock.now().timestamp())?;
        let granted = exchange(http, &account.token_url, &assertion).await?;
        let until = asked + Duration::from_secs(granted.expires_in).saturating_sub(MARGIN);
        *last = Some((granted.access_token.clone(), until));
        Ok(granted.access_token)
    }
}

impl fmt::Debug for Tokens {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens")
    }
}

impl Account {
    fn read(file: &Path) -> Result<Self> {
        let refused = || Error::NotConfigured {
            code: "documents_credentials_invalid",
            detail: "the credentials of the document store are no key of a service account".into(),
        };
        let text = fs::read_to_string(file).map_err(|_| refused())?;
        let file: KeyFile = serde_json::from_str(&text).map_err(|_| refused())?;
        let der = der_of(&file.private_key).ok_or_else(refused)?;
        let key = RsaKeyPair::from_pkcs8(&der).map_err(|_| refused())?;
        Ok(Self { email: file.client_email, token_url: file.token_uri, key })
    }

    /// A signed request for a token (RFC 7515).
    fn assertion(&self, now: i64) -> Result<String, Failure> {
        let header = json!({ "alg": "RS256", "typ": "JWT" });
        let claims = json!({ "iss": self.email, "scope": SCOPE, "aud": self.token_url, "iat": now,
            "exp": now + LIFETIME });
        let part = |value: serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        let random = SystemRandom::new();
        self.key
            .sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature)
            .map_err(|_| Failure::Unavailable("no request for a token was signed"))?;
        Ok(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// What stands between the marks of a PEM file (RFC 7468).
fn der_of(pem: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once("-----BEGIN PRIVATE KEY-----")?;
    let (text, _) = rest.split_once("-----END PRIVATE KEY-----")?;
    let text: String = text.split_whitespace().collect();
    BASE64_STANDARD.decode(text).ok()
}

async fn exchange(http: &Http, url: &str, assertion: &str) -> Result<Granted, Failure> {
    let form = format!(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}"
    );
    let request = http.post(url).header("content-type", "application/x-www-form-urlencoded");
    let unavailable = Failure::Unavailable("there is no token for Firestore");
    let Ok(answer) = request.body(form).send().await else { return Err(unavailable) };
    match answer.status().as_u16() {
        200 => {}
        400 | 401 | 403 => return Err(Failure::Refused),
        _ => return Err(unavailable),
    }
    let Ok(body) = answer.bytes().await else { return Err(unavailable) };
    serde_json::from_slice(&body).map_err(|_| unavailable)
}

#[cfg(test)]
mod tests {
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    /// A key that was made for this test, and opens nothing.
    const KEY: &str = include_str!("../../../../../tests/data/firestore/service-account.json");

    fn account() -> Account {
        let folder = std::env::temp_dir().join(format!("steward-{}", std::process::id()));
        fs::write(&folder, KEY).expect("a file");
        let account = Account::read(&folder);
        fs::remove_file(&folder).expect("the file");
        account.expect("an account")
    }

    #[test]
    fn a_request_for_a_token_is_signed_by_the_account() {
        let account = account();
        let assertion = account.assertion(1_780_000_000).expect("a request");
        let (signed, signature) = assertion.rsplit_once('.').expect("a signature");
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).expect("base64");
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, account.key.public());
        public.verify(signed.as_bytes(), &signature).expect("its signature");
        let claims = BASE64_URL_SAFE_NO_PAD.decode(signed.split_once('.').expect("claims").1);
        let claims: serde_json::Value =
            serde_json::from_slice(&claims.expect("base64")).expect("claims");
        assert_eq!(
            claims,
            json!({ "iss": "steward@example.iam.gserviceaccount.com", "scope": SCOPE,
                "aud": "https://oauth2.googleapis.com/token", "iat": 1_780_000_000,
                "exp": 1_780_003_600 })
        );
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_shown() {
        let file = std::env::temp_dir().join(format!("steward-none-{}", std::process::id()));
        for text in ["", "{}", r#"{"client_email":"a","private_key":"s3cr3t","token_uri":"b"}"#] {
            fs::write(&file, text).expect("a file");
            let error = Account::read(&file).err().expect("a refusal");
            assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{error}");
        }
        fs::remove_file(&file).expect("the file");
    }
}
