//! Queries as CouchDB takes them: what is unknown is ignored, and ids are JSON.

use std::{
    collections::HashMap,
    future::{Ready, ready},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use percent_encoding::percent_decode_str;
use service::{
    document::{
        couch::{Which, With},
        revision::Revision,
    },
    error::Error,
};

use super::answer::Refused;
use crate::problem::Failure;

/// Where a client goes on that was cut off, in its query or its header.
pub(super) const LAST_EVENT_ID: &str = "last-event-id";

/// The query of a request.
#[derive(Debug, Default)]
pub(super) struct Parameters(HashMap<String, String>);

impl FromRequest for Parameters {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let pairs = form_urlencoded::parse(request.query_string().as_bytes());
        let mut pairs: HashMap<String, String> = pairs.into_owned().collect();
        let last = request.headers().get(LAST_EVENT_ID).and_then(|value| value.to_str().ok());
        if let Some(last) = last {
            pairs.entry(LAST_EVENT_ID.to_owned()).or_insert_with(|| last.to_owned());
        }
        ready(Ok(Self(pairs)))
    }
}

impl Parameters {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn is_on(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }

    /// A count.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Refused> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = text.parse().map(Some);
        number.map_err(|_| invalid(name, "must be a number"))
    }

    /// A text, as JSON.
    pub(super) fn json_text(&self, names: &[&str]) -> Result<Option<String>, Refused> {
        let Some(name) = names.iter().find(|name| self.0.contains_key(**name)) else {
            return Ok(None);
        };
        let text = self.text(name).and_then(|text| serde_json::from_str(text).ok());
        text.map(Some).ok_or_else(|| invalid(name, "must be a text in quotation marks"))
    }

    pub(super) fn revision(&self, name: &str) -> Result<Option<Revision>, Refused> {
        let revision = self.text(name).map(str::parse).transpose();
        revision.map_err(|_| invalid(name, "must be a revision"))
    }

    /// Revisions, as JSON.
    fn revisions(&self, name: &str) -> Option<Vec<Revision>> {
        let texts: Vec<String> = serde_json::from_str(self.text(name)?).ok()?;
        texts.iter().map(|text| text.parse().ok()).collect()
    }

    /// `open_revs`: those that are named, or nothing for all leaves.
    pub(super) fn open_revisions(&self) -> Result<Option<Option<Vec<Revision>>>, Refused> {
        let Some(text) = self.text("open_revs") else { return Ok(None) };
        if text == "all" {
            return Ok(Some(None));
        }
        let refused = || invalid("open_revs", "must be `all`, or an array of revisions");
        Ok(Some(Some(self.revisions("open_revs").ok_or_else(refused)?)))
    }

    pub(super) fn which(&self) -> Result<Which, Refused> {
        Ok(Which {
            revision: self.revision("rev")?,
            latest: self.is_on("latest"),
            attachments_since: self.revisions("atts_since").unwrap_or_default(),
        })
    }

    pub(super) fn with(&self) -> With {
        With {
            revisions: self.is_on("revs"),
            revisions_info: self.is_on("revs_info"),
            conflicts: self.is_on("conflicts"),
            attachments_after: self.is_on("attachments").then_some(0),
        }
    }
}

pub(super) fn invalid(name: &str, what: &'static str) -> Refused {
    Error::invalid(format!("?{name}"), "invalid", what).into()
}

/// A place in the path, and what there is of it.
fn segment(request: &HttpRequest, place: usize) -> Result<String, Failure> {
    let found = request.uri().path().split('/').nth(place);
    let decoded = found.and_then(|segment| percent_decode_str(segment).decode_utf8().ok());
    let decoded = decoded.filter(|text| !text.contains('\0'));
    decoded.map(|text| text.into_owned()).ok_or_else(|| Error::NotFound("document").into())
}

/// The collection of the path.
#[derive(Debug)]
pub(super) struct Database(pub(super) String);

impl FromRequest for Database {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let name = segment(request, 2).and_then(|name| {
            let collection = name.split_once('~').map(|(_, collection)| collection.to_owned());
            collection.ok_or_else(|| Error::NotFound("collection").into())
        });
        ready(name.map(Self))
    }
}

/// The id of a document in the path.
#[derive(Debug)]
pub(super) struct Key(pub(super) String);

impl FromRequest for Key {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let key = segment(request, 3);
        ready(match key.as_deref() {
            // The one id whose slash clients leave as it is.
            Ok("_design") => segment(request, 4).map(|name| Self(format!("_design/{name}"))),
            _ => key.map(Self),
        })
    }
}

/// The name of an attachment in the path: all that follows the document.
#[derive(Debug)]
pub(super) struct AttachmentName(pub(super) String);

impl FromRequest for AttachmentName {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let is_of_design = segment(request, 3).is_ok_and(|key| key == "_design");
        let mut segments = request.uri().path().splitn(if is_of_design { 6 } else { 5 }, '/');
        let name = segments.by_ref().last().map(|rest| percent_decode_str(rest).decode_utf8());
        let name = name.and_then(Result::ok).filter(|name| !name.contains('\0'));
        let missing = || Failure::from(Error::NotFound("attachment"));
        ready(name.map(|name| Self(name.into_owned())).ok_or_else(missing))
    }
}

/// The id of a `_local` document in the path.
#[derive(Debug)]
pub(super) struct LocalKey(pub(super) String);

impl FromRequest for LocalKey {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(segment(request, 4).map(Self))
    }
}
