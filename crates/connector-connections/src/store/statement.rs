//! Statements, their values, and the rows that come back.

use connector_core::{Error, ErrorKind};

use crate::value::clock::Moment;

/// SQL statement with the values of `$1` onwards.
#[derive(Clone)]
pub(crate) struct Statement {
    pub(super) sql: &'static str,
    pub(super) values: Vec<Value>,
    /// True if it must return exactly one row, which undoes the batch otherwise.
    expects_row: bool,
}

/// Value of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// Row that a statement returned.
#[derive(Debug)]
pub(crate) struct Row(pub(super) Vec<Value>);

/// Result of a batch.
#[derive(Debug)]
pub(crate) enum Ran {
    /// Everything was carried out; the rows of each statement.
    All(Vec<Vec<Row>>),
    /// The statement at this index missed its row, and nothing was changed.
    Missed(usize),
}

/// Builds a statement with its values.
macro_rules! sql {
    ($text:expr $(, $value:expr)* $(,)?) => {
        $crate::store::statement::Statement::new($text, vec![$($crate::store::statement::Value::from($value)),*])
    };
}
pub(crate) use sql;

impl Statement {
    pub(crate) fn new(sql: &'static str, values: Vec<Value>) -> Self {
        Self { sql, values, expects_row: false }
    }

    /// Requires exactly one row, without which the batch is undone.
    pub(crate) fn expect_row(mut self) -> Self {
        self.expects_row = true;
        self
    }

    /// Checks whether the statement missed the row that it requires.
    pub(super) fn is_missed(&self, rows: &[Row]) -> bool {
        self.expects_row && rows.len() != 1
    }

    /// Checks whether a text holds NUL, which PostgreSQL cannot store.
    ///
    /// It is refused over SQLite too, so that both databases take the same.
    pub(super) fn holds_nul(&self) -> bool {
        self.values.iter().any(|value| matches!(value, Value::Text(text) if text.contains('\0')))
    }
}

impl Ran {
    /// Returns the rows of each statement.
    pub(crate) fn into_all(self) -> Result<Vec<Vec<Row>>, Error> {
        match self {
            Self::All(rows) => Ok(rows),
            Self::Missed(_) => Err(misread()),
        }
    }

    /// Returns the rows of the last statement.
    pub(crate) fn into_last(self) -> Result<Vec<Row>, Error> {
        Ok(self.into_all()?.pop().unwrap_or_default())
    }
}

impl Row {
    pub(crate) fn text(&self, at: usize) -> Result<&str, Error> {
        self.maybe_text(at)?.ok_or_else(misread)
    }

    pub(crate) fn maybe_text(&self, at: usize) -> Result<Option<&str>, Error> {
        match self.0.get(at) {
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::Null) => Ok(None),
            _ => Err(misread()),
        }
    }

    pub(crate) fn integer(&self, at: usize) -> Result<i64, Error> {
        self.maybe_integer(at)?.ok_or_else(misread)
    }

    pub(crate) fn maybe_integer(&self, at: usize) -> Result<Option<i64>, Error> {
        match self.0.get(at) {
            Some(Value::Integer(integer)) => Ok(Some(*integer)),
            Some(Value::Null) => Ok(None),
            _ => Err(misread()),
        }
    }

    pub(crate) fn bytes(&self, at: usize) -> Result<&[u8], Error> {
        self.maybe_bytes(at)?.ok_or_else(misread)
    }

    pub(crate) fn maybe_bytes(&self, at: usize) -> Result<Option<&[u8]>, Error> {
        match self.0.get(at) {
            Some(Value::Bytes(bytes)) => Ok(Some(bytes)),
            Some(Value::Null) => Ok(None),
            _ => Err(misread()),
        }
    }

    pub(crate) fn moment(&self, at: usize) -> Result<Moment, Error> {
        self.integer(at).map(Moment::from_micros)
    }

    pub(crate) fn maybe_moment(&self, at: usize) -> Result<Option<Moment>, Error> {
        Ok(self.maybe_integer(at)?.map(Moment::from_micros))
    }
}

/// Builds the error for a row that has another form than this program writes.
pub(crate) fn misread() -> Error {
    Error::new(ErrorKind::Bug, "The store holds a row that this program did not write.")
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl From<Moment> for Value {
    fn from(value: Moment) -> Self {
        Self::Integer(value.as_micros())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
