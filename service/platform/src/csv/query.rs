//! What the queries of all imports of CSV files have in common.

/// Defines the query of an import: the fields that it is given, and after them those that every import has. They
/// stand here and are not flattened into the query, since a form has only texts: serde would not read the numbers of
/// a flattened struct, and could refuse no unknown name.
///
/// It needs what it names in scope: `Deserialize`, `IntoParams`, `OnError`, `Serialize` and `Validate`.
#[doc(hidden)]
#[macro_export]
macro_rules! __csv_query {
    ($(#[$attribute:meta])* pub struct $query:ident { $($own:tt)* }) => {
        $(#[$attribute])*
        #[$crate::input::bounded]
        #[derive(Debug, Clone, Serialize, Deserialize, Validate, IntoParams)]
        #[serde(deny_unknown_fields)]
        #[into_params(parameter_in = Query)]
        pub struct $query {
            $($own)*
            /// Encoding of the file, such as `utf-8`, `windows-1252`, `utf-16` or `cp850`. A byte order
            /// mark takes precedence; the `charset` of the Content-Type is used otherwise, and else it
            /// is detected.
            #[validate(length(max = 200))]
            pub encoding: Option<String>,
            /// Number of lines before the header, at most 1000. Detected by default.
            #[param(maximum = 1000)]
            pub skip_rows: Option<u64>,
            /// Number of rows at the end of the file that are left out, such as totals, at most 1000.
            #[param(maximum = 1000)]
            pub skip_last: Option<u64>,
            /// Whether the file names its columns. If false, they are named `1`, `2` and so on.
            pub header: Option<bool>,
            /// Character between columns: `,`, `;`, `|` or a tab. Detected by default. A first line
            /// `sep=;` takes effect, too.
            pub delimiter: Option<char>,
            /// Whether to import rows again that an earlier import had imported and somebody has
            /// deleted since. Defaults to false: they are counted as `deleted_before`.
            #[serde(default)]
            pub restore: bool,
            /// Whether to check the file and report the result without writing anything. Defaults to
            /// false.
            #[serde(default)]
            pub dry_run: bool,
            /// Treatment of invalid rows: `abort` or `skip`. Defaults to `abort`.
            #[serde(default)]
            #[param(inline)]
            pub on_error: OnError,
            /// Whether to import after the response, whatever the size of the file. Defaults to false:
            /// at most 100 new rows are imported before the response.
            #[serde(default)]
            pub background: bool,
        }

        impl $query {
            /// How the file is written, as far as this says so. `country` is where it is from (ISO 3166).
            pub(crate) fn dialect(&self, country: Option<[u8; 2]>) -> $crate::csv::Dialect {
                $crate::csv::Dialect {
                    encoding: self.encoding.as_deref().and_then($crate::csv::encoding),
                    country,
                    delimiter: self.delimiter,
                    header: self.header,
                    skip_rows: self.skip_rows,
                    skip_last: self.skip_last,
                }
            }

            /// What is wrong with how it says that the file is written.
            fn refusals(&self) -> $crate::csv::Refusals {
                let mut refusals = $crate::csv::Refusals::default();
                let format = self.date_format.as_deref();
                refusals.check_marks(self.decimal_separator, self.delimiter, format);
                refusals.check_dialect(self.encoding.as_deref(), self.skip_rows, self.skip_last);
                refusals
            }
        }
    };
}
pub use crate::__csv_query as csv_query;
