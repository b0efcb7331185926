//! An attribute that gives the schema of an input the limits of its validation.

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::{ToTokens, quote};
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, Field, GenericArgument, Ident, Lit, PathArguments,
    Result, Token, Type, UnOp, meta::ParseNestedMeta, parenthesized, parse_macro_input,
    parse_quote, punctuated::Punctuated,
};

/// What functions that validate a text say of it in a schema.
const FUNCTIONS: &[(&str, &[(&str, &str)])] = &[
    ("address", &[("max_length", "254")]),
    ("currency_code", &[("min_length", "3"), ("max_length", "3"), ("pattern", r#""^[A-Z]{3}$""#)]),
    ("visible", &[("min_length", "1"), ("pattern", r#""\\S""#)]),
];

/// Gives each field's schema the limits in its `#[validate(…)]`, so that they stand in one place:
///
/// | validated | in the schema |
/// |---|---|
/// | `length(min = 1, max = 200)` | `minLength` and `maxLength`, or `minItems` and `maxItems` |
/// | `range(min = 1, max = 500)` | `minimum` and `maximum` |
/// | `email` | `format` |
/// | `custom(function = text::visible)` | what [`FUNCTIONS`] has for the function |
///
/// It stands before the `#[derive(…)]` of `Validate` with `ToSchema` or `IntoParams`. A limit in the field's
/// `#[schema(…)]` or `#[param(…)]` is for what this table does not know, and wins; one that says the same again
/// does not compile.
#[proc_macro_attribute]
pub fn bounded(_: TokenStream, item: TokenStream) -> TokenStream {
    let mut input = parse_macro_input!(item as DeriveInput);
    match bound(&mut input) {
        Ok(()) => input.into_token_stream().into(),
        Err(error) => error.into_compile_error().into(),
    }
}

fn bound(input: &mut DeriveInput) -> Result<()> {
    let derived: String = input.attrs.iter().map(|it| it.to_token_stream().to_string()).collect();
    let attribute = if derived.contains("IntoParams") { "param" } else { "schema" };
    let Data::Struct(data) = &mut input.data else {
        return Err(Error::new_spanned(input, "only structs have validated fields"));
    };
    for field in &mut data.fields {
        bound_field(field, attribute)?;
    }
    Ok(())
}

/// A limit, or another word of a schema: its name and its value.
struct Limit(Ident, Expr);

fn bound_field(field: &mut Field, attribute: &str) -> Result<()> {
    let given = given(field, attribute)?;
    let is_given = |name: &str| given.iter().find(|(known, _)| known == name);
    if is_given("schema_with").is_some() {
        return Ok(());
    }
    let mut words: Vec<Tokens> = Vec::new();
    for Limit(name, value) in validated(field)? {
        let known = is_given(&name.to_string());
        match (known, is_literal(&value)) {
            (Some((_, same)), true) if number(same) == number(&value.to_token_stream()) => {
                let again = format!("`validate` says it: remove {name} from `{attribute}`");
                return Err(Error::new_spanned(&*field, again));
            }
            (None, false) => {
                let missing = format!("not a literal: say {name} in `{attribute}`, too");
                return Err(Error::new_spanned(value, missing));
            }
            (None, true) => words.push(quote!(#name = #value)),
            (Some(_), _) => {}
        }
    }
    if !words.is_empty() {
        let attribute = Ident::new(attribute, proc_macro2::Span::call_site());
        field.attrs.push(parse_quote!(#[#attribute(#(#words),*)]));
    }
    Ok(())
}

/// A number without its type and without separators.
fn number(value: &Tokens) -> String {
    let text = value.to_string().replace([' ', '_'], "");
    text.trim_end_matches("i64").trim_end_matches(".0").to_owned()
}

fn is_literal(value: &Expr) -> bool {
    match value {
        Expr::Lit(_) => true,
        Expr::Unary(unary) => matches!((&unary.op, &*unary.expr), (UnOp::Neg(_), Expr::Lit(_))),
        _ => false,
    }
}

/// The words of the field's own `#[schema(…)]` or `#[param(…)]`, with their values.
fn given(field: &Field, attribute: &str) -> Result<Vec<(String, Tokens)>> {
    let mut words = Vec::new();
    for attribute in field.attrs.iter().filter(|it| it.path().is_ident(attribute)) {
        attribute.parse_nested_meta(|meta| {
            let name = meta.path.to_token_stream().to_string();
            words.push((name, rest(&meta)?));
            Ok(())
        })?;
    }
    Ok(words)
}

/// What follows a word: ` = value` or `(…)`.
fn rest(meta: &ParseNestedMeta<'_>) -> Result<Tokens> {
    if meta.input.peek(Token![=]) {
        let _: Token![=] = meta.input.parse()?;
        return value(meta);
    }
    if meta.input.peek(syn::token::Paren) {
        let content;
        parenthesized!(content in meta.input);
        return content.parse();
    }
    Ok(Tokens::new())
}

/// A value up to the next comma: of a schema, it may be a type.
fn value(meta: &ParseNestedMeta<'_>) -> Result<Tokens> {
    let mut tokens = Tokens::new();
    let mut depth = 0_usize;
    while !meta.input.is_empty() && (depth > 0 || !meta.input.peek(Token![,])) {
        depth += usize::from(meta.input.peek(Token![<]));
        depth = depth.saturating_sub(usize::from(meta.input.peek(Token![>])));
        tokens.extend([meta.input.parse::<proc_macro2::TokenTree>()?]);
    }
    Ok(tokens)
}

/// What the field's `#[validate(…)]` says of its schema.
fn validated(field: &Field) -> Result<Vec<Limit>> {
    let is_list = is_list(&field.ty);
    let mut limits = Vec::new();
    for attribute in field.attrs.iter().filter(|it| it.path().is_ident("validate")) {
        validators(attribute, |name, arguments| {
            let argument = |name: &str| arguments.iter().find(|(known, _)| *known == name);
            let mut bound = |of: &str, word: &str| {
                if let Some((_, value)) = argument(of) {
                    limits.push(Limit(Ident::new(word, name.span()), value.clone()));
                }
            };
            match (&*name.to_string(), is_list) {
                ("length", true) => {
                    bound("min", "min_items");
                    bound("max", "max_items");
                }
                ("length", false) => {
                    bound("min", "min_length");
                    bound("max", "max_length");
                }
                ("range", _) => {
                    bound("min", "minimum");
                    bound("max", "maximum");
                }
                ("email", _) => {
                    limits.push(Limit(Ident::new("format", name.span()), parse_quote!("email")))
                }
                ("custom", _) => {
                    limits.extend(of_function(argument("function").map(|it| &it.1), name)?)
                }
                _ => {}
            }
            Ok(())
        })?;
    }
    Ok(limits)
}

/// Shows each validator of an attribute, with its arguments.
fn validators(
    attribute: &Attribute,
    mut see: impl FnMut(&Ident, &[(Ident, Expr)]) -> Result<()>,
) -> Result<()> {
    attribute.parse_nested_meta(|meta| {
        let mut arguments = Vec::new();
        if meta.input.peek(syn::token::Paren) {
            let content;
            parenthesized!(content in meta.input);
            let all = Punctuated::<Expr, Token![,]>::parse_terminated(&content)?;
            for argument in all {
                if let Expr::Assign(assigned) = argument
                    && let Expr::Path(name) = &*assigned.left
                {
                    arguments.push((name.path.require_ident()?.clone(), *assigned.right));
                }
            }
        }
        see(meta.path.require_ident()?, &arguments)
    })
}

fn of_function(function: Option<&Expr>, at: &Ident) -> Result<Vec<Limit>> {
    let Some(Expr::Path(function)) = function else { return Ok(Vec::new()) };
    let name = function.path.segments.last().map(|it| it.ident.to_string()).unwrap_or_default();
    let words = FUNCTIONS.iter().find(|(known, _)| *known == name).map_or(&[][..], |it| it.1);
    let limit = |(word, value): &(&str, &str)| {
        Ok(Limit(
            Ident::new(word, at.span()),
            Expr::Lit(syn::ExprLit { attrs: vec![], lit: syn::parse_str::<Lit>(value)? }),
        ))
    };
    words.iter().map(limit).collect()
}

/// Whether a type is a list, or an optional one.
fn is_list(of: &Type) -> bool {
    let Type::Path(path) = of else { return false };
    let Some(last) = path.path.segments.last() else { return false };
    match &last.arguments {
        PathArguments::AngleBracketed(arguments) if last.ident == "Option" => {
            let inner =
                |it: &GenericArgument| matches!(it, GenericArgument::Type(of) if is_list(of));
            arguments.args.iter().any(inner)
        }
        _ => last.ident == "Vec",
    }
}
