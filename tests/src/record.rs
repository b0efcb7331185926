//! What was asked and answered, in its order.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex},
};

use reqwest::Method;

use crate::client::Answer;

/// A call and its answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The method, the path, the headers and the body.
    pub call: String,
    /// What came back.
    pub answer: Answer,
}

impl Exchange {
    /// The method and the path, without the query.
    pub fn target(&self) -> (&str, &str) {
        let mut words = self.call.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        (method, path.split('?').next().unwrap_or_default())
    }
}

/// All exchanges of a client, and of those that come of it. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Record(Arc<Mutex<Vec<Exchange>>>);

impl Record {
    pub(crate) fn add(
        &self,
        (method, path): (&Method, &str),
        headers: &impl Debug,
        body: Option<&[u8]>,
        answer: &Answer,
    ) {
        let body = String::from_utf8_lossy(body.unwrap_or_default());
        let call = format!("{method} {path} {headers:?} {body}");
        self.0.lock().unwrap().push(Exchange { call, answer: answer.clone() });
    }

    /// How many they are so far.
    ///
    /// # Panics
    /// If a thread has panicked while it recorded.
    pub fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// They, as far as they are.
    ///
    /// # Panics
    /// If a thread has panicked while it recorded.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.0.lock().unwrap().clone()
    }
}
