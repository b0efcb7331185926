use std::collections::BTreeMap;

use serde_json::{Map, Value};
use service::{
    amount,
    error::{Error, Result},
    spreadsheet::Cell,
};
use utoipa::{
    ToSchema,
    openapi::{KnownFormat, Ref, RefOr, Schema, SchemaFormat, schema::Object},
};

use crate::extract::Fields;

/// What the name of a property ends with that is an amount in minor units.
const MINOR: &str = "_minor";

/// The columns of a table: the properties of its rows, in the order of their schema.
#[derive(Debug)]
pub(super) struct Columns(Vec<Column>);

#[derive(Debug)]
struct Column {
    property: String,
    kind: Kind,
}

/// What the texts and numbers of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    /// An amount in minor units, which a table shows in whole ones.
    Amount,
    Day,
    Instant,
}

type Schemas = BTreeMap<String, RefOr<Schema>>;

impl Columns {
    /// Those of rows of this type, or of these fields of theirs.
    pub(super) fn of<T: ToSchema>(fields: Option<&Fields>) -> Self {
        let mut schemas = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut schemas);
        let schemas: Schemas = schemas.into_iter().collect();
        let mut columns = Self(Vec::new());
        columns.collect(&Ref::from_schema_name(T::name()).into(), &schemas);
        columns.0.retain(|column| fields.is_none_or(|fields| fields.contains(&column.property)));
        columns
    }

    fn collect(&mut self, schema: &RefOr<Schema>, schemas: &Schemas) {
        match schema {
            RefOr::Ref(reference) => {
                let name = reference.ref_location.rsplit('/').next().unwrap_or_default();
                schemas.get(name).into_iter().for_each(|schema| self.collect(schema, schemas));
            }
            RefOr::T(Schema::Object(object)) => self.add(object),
            RefOr::T(Schema::AllOf(all)) => {
                all.items.iter().for_each(|schema| self.collect(schema, schemas));
            }
            RefOr::T(Schema::OneOf(one)) => {
                one.items.iter().for_each(|schema| self.collect(schema, schemas));
            }
            RefOr::T(_) => {}
        }
    }

    /// A property that several forms of a row have is one column.
    fn add(&mut self, object: &Object) {
        for (property, schema) in &object.properties {
            if self.0.iter().all(|column| column.property != *property) {
                let kind = Kind::of(property, schema);
                self.0.push(Column { property: property.clone(), kind });
            }
        }
    }

    /// What they are called: an amount has no `_minor`.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|column| match column.kind {
            Kind::Amount => column.property.trim_end_matches(MINOR),
            _ => &*column.property,
        })
    }

    /// The cells of a row, whose amounts are in this currency if it names none.
    pub(super) fn cells(&self, row: &Map<String, Value>, own: Option<&str>) -> Result<Vec<Cell>> {
        let decimals = currency_of(row).or(own).and_then(decimals);
        let cell = |column: &Column| match row.get(&column.property) {
            None => Ok(Cell::Empty),
            Some(value) => column.cell(value, decimals),
        };
        self.0.iter().map(cell).collect()
    }
}

impl Kind {
    fn of(property: &str, schema: &RefOr<Schema>) -> Self {
        if property.ends_with(MINOR) {
            return Self::Amount;
        }
        let RefOr::T(Schema::Object(object)) = schema else { return Self::Plain };
        match object.format {
            Some(SchemaFormat::KnownFormat(KnownFormat::Date)) => Self::Day,
            Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)) => Self::Instant,
            _ => Self::Plain,
        }
    }
}

impl Column {
    fn cell(&self, value: &Value, decimals: Option<u16>) -> Result<Cell> {
        Ok(match (value, self.kind) {
            (Value::Null, _) => Cell::Empty,
            (Value::Bool(value), _) => Cell::Boolean(*value),
            (Value::Number(number), Kind::Amount) => {
                let minor = number.to_string().parse().ok();
                let (minor, decimals) = minor.zip(decimals).ok_or_else(|| self.unreadable())?;
                Cell::amount(minor, decimals)
            }
            (Value::Number(number), _) => Cell::Number { text: number.to_string(), decimals: None },
            (Value::String(text), Kind::Day) => {
                Cell::Day(text.parse().map_err(|_| self.unreadable())?)
            }
            (Value::String(text), Kind::Instant) => {
                Cell::Instant(text.parse().map_err(|_| self.unreadable())?)
            }
            (Value::String(text), _) => Cell::Text(text.clone()),
            (Value::Array(_) | Value::Object(_), _) => Cell::Text(value.to_string()),
        })
    }

    fn unreadable(&self) -> Error {
        Error::Internal(format!("{} of a row is not what its schema says", self.property))
    }
}

/// The currency that a row names, or else what it contains: a row of the report of budgets has its budget.
fn currency_of(row: &Map<String, Value>) -> Option<&str> {
    let own = row.get("currency").and_then(Value::as_str);
    own.or_else(|| row.values().find_map(|part| part.get("currency")?.as_str()))
}

fn decimals(currency: &str) -> Option<u16> {
    amount::currency(currency)?.exponent()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use service::{money::expense::Expense, report::BudgetRow};

    use super::*;

    fn text(columns: &Columns, row: &Value, own: Option<&str>) -> Vec<String> {
        let cells = columns.cells(row.as_object().expect("an object"), own).expect("cells");
        cells.iter().map(|cell| cell.text().into_owned()).collect()
    }

    #[test]
    fn columns_are_in_the_order_of_the_schema() {
        let columns = Columns::of::<Expense>(None);
        let names: Vec<&str> = columns.names().collect();
        assert_eq!(names[0], "id");
        let place = |name| names.iter().position(|known| *known == name).expect(name);
        assert!(place("amount") < place("currency") && place("currency") < place("created_at"));
        assert!(!names.contains(&"amount_minor"));
    }

    #[test]
    fn an_amount_is_in_the_currency_that_is_nearest() {
        let columns = Columns::of::<BudgetRow>(None);
        let names: Vec<&str> = columns.names().collect();
        let place = names.iter().position(|name| *name == "amount").expect("an amount");
        let row = json!({ "amount_minor": 1250, "budget": { "currency": "JPY" } });
        assert_eq!(text(&columns, &row, Some("EUR"))[place], "1250");
        assert_eq!(text(&columns, &json!({ "amount_minor": 1250 }), Some("EUR"))[place], "12.50");
        assert!(
            columns.cells(json!({ "amount_minor": 1 }).as_object().expect("a row"), None).is_err()
        );
    }
}
