//! JSON Schema 2020-12: which bodies a collection takes.
//!
//! The crate `jsonschema` reads schemas and checks bodies. What is added here are bounds, since clients write both:
//! of a schema ([`outline`]), of the steps that one check takes ([`metered`]), of the stack ([`stack`]). Nothing is
//! ever fetched: a `$ref` leads to a part of the schema itself, or to the schema of JSON Schema.
//!
//! Formats and contents are annotations, as the specification has it by default: they are not checked.

mod admission;
mod cache;
mod existing;
mod metered;
mod outline;
mod secrets;
mod stack;
mod violation;

use std::{
    fmt, mem,
    panic::{AssertUnwindSafe, catch_unwind},
};

use jsonschema::{Draft, PatternOptions, Retrieve, Uri, Validator};
use serde_json::{Map, Value};

pub(crate) use admission::{Admitted, admit, open};
pub(crate) use cache::{Declared, State};
pub use existing::InvalidDocument;
pub(crate) use existing::look;
pub use secrets::{MASK, Secrets};

use self::{
    metered::{Exhausted, Metered, Node, Tariff},
    outline::{Outline, Shape},
};
use crate::error::{Error, Result};

/// How many violations of one body are told.
pub const MAX_VIOLATIONS: usize = 100;
/// How many steps one check may take: some tenths of a second.
const MAX_STEPS: u64 = 10_000_000;
/// How many bytes a compiled pattern may take.
const MAX_PATTERN_BYTES: usize = 1 << 19;
/// How many subschemas, each at each level of a body, may be entered at once.
const MAX_FRAMES: usize = 1 << 16;

/// How many frames it takes to compile a subschema, of those that it takes to check one.
const FRAMES_TO_COMPILE: usize = 4;

/// A schema that bodies can be checked against.
pub struct Schema {
    /// None once it is dropped, which goes through it as a check does.
    validator: Option<Validator<Metered>>,
    outline: Outline,
}

impl Drop for Schema {
    fn drop(&mut self) {
        let mut validator = self.validator.take();
        // Without room for it, it stays where it is: there is nobody to tell.
        if stack::deep(self.outline.subschemas, || drop(validator.take())).is_err() {
            mem::forget(validator);
        }
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schema").field("outline", &self.outline).finish_non_exhaustive()
    }
}

/// Refuses what a `$ref` names outside of the schema.
struct Nothing;

impl Retrieve for Nothing {
    fn retrieve(&self, _: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        Err("nothing is fetched".into())
    }
}

impl Schema {
    /// Reads a schema.
    ///
    /// # Errors
    /// [`Error::Invalid`] with pointers into the schema where it is none, or exceeds a bound.
    pub fn compile(schema: &Value) -> Result<Self> {
        Self::compile_with(schema, Nothing)
    }

    fn compile_with(schema: &Value, retriever: impl Retrieve + 'static) -> Result<Self> {
        let outline = Outline::of(schema).map_err(Error::Invalid)?;
        let options = jsonschema::options_for::<Metered>()
            .with_draft(Draft::Draft202012)
            .with_retriever(retriever)
            .with_pattern_options(
                PatternOptions::regex()
                    .size_limit(MAX_PATTERN_BYTES)
                    .dfa_size_limit(MAX_PATTERN_BYTES),
            );
        let built = stack::deep(outline.subschemas * FRAMES_TO_COMPILE, || {
            catch_unwind(AssertUnwindSafe(|| options.build(schema)))
        })?;
        match built {
            Ok(Ok(validator)) => Ok(Self { validator: Some(validator), outline }),
            Ok(Err(error)) => Err(Error::Invalid(violation::of_schema(schema, &error))),
            Err(_) => Err(Error::Internal("a schema cannot be compiled".to_owned())),
        }
    }

    /// Whether bodies have secrets.
    pub fn has_secrets(&self) -> bool {
        !self.outline.secrets.is_empty()
    }

    /// Checks a body that is to be kept, with the secrets that are kept of it already: a [`MASK`] stands for one of
    /// these. It gives the body with masks, and the secrets.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn admit(
        &self,
        mut body: Map<String, Value>,
        kept: &Secrets,
    ) -> Result<(Map<String, Value>, Secrets)> {
        let places = &self.outline.secrets;
        secrets::reveal(&mut body, places, kept).map_err(Error::Invalid)?;
        self.check(&body)?;
        let secrets = secrets::conceal(&mut body, places);
        Ok((body, secrets))
    }

    /// Checks a body.
    ///
    /// # Errors
    /// [`Error::Invalid`] with pointers into the body, at most [`MAX_VIOLATIONS`]; none has a value of the body.
    pub fn check(&self, body: &Map<String, Value>) -> Result<()> {
        self.check_node(Node::Members(body), &Shape::of_members(body)?)
    }

    fn check_node(&self, body: Node<'_>, shape: &Shape) -> Result<()> {
        let frames = self.outline.subschemas.saturating_mul(shape.depth + 2);
        if frames > MAX_FRAMES {
            let levels = MAX_FRAMES / self.outline.subschemas.max(1);
            let message =
                format!("must be nested to at most {levels} levels for so large a schema");
            return Err(Error::invalid("", "depth", message));
        }
        let Some(validator) = &self.validator else {
            return Err(Error::Internal("a schema is used that is dropped".to_owned()));
        };
        let tariff = Tariff { step: self.outline.weight(), error: shape.longest_path };
        if self.metered(frames, tariff, || validator.is_valid(body))?.map_err(too_complex)? {
            return Ok(());
        }
        let found = self.metered(frames, tariff, || {
            violation::of_body(validator.iter_errors(body), MAX_VIOLATIONS)
        })?;
        // What takes too many steps to be told in full is told in short.
        Err(Error::Invalid(found.unwrap_or_else(|_| violation::unspecified())))
    }

    fn metered<T: Send>(
        &self,
        frames: usize,
        tariff: Tariff,
        work: impl FnOnce() -> T + Send,
    ) -> Result<Result<T, Exhausted>> {
        stack::deep(frames, || metered::within(MAX_STEPS, tariff, work))?
            .map_err(|_| Error::Internal("a body cannot be checked".to_owned()))
    }
}

fn too_complex(_: Exhausted) -> Error {
    Error::invalid("", "too_complex", "takes too many steps to be checked against the schema")
}

#[cfg(test)]
mod tests;
