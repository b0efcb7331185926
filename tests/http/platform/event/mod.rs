//! Events: the log in order, as history, and live.

mod feed;
mod history;
mod stream;
