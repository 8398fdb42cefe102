//! The forms of rows: CSV, a table, or a JSON object a line.

use std::io::IsTerminal;

use clap::ValueEnum;

use crate::terminal::render;

/// The form in which `connector invoke` writes what came back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The outcome, as one line of JSON
    #[default]
    Json,
    /// The records alone, a line of JSON each
    Ndjson,
    /// The records as rows of CSV (RFC 4180), under a line of headings
    Csv,
    /// The records as a table on a terminal; divided by tabs, without headings, elsewhere
    Table,
}

/// The columns that a table has at most where none are named: each has a value in some row.
const MOST_COLUMNS: usize = 8;

/// The characters of a cell that a table shows on a terminal.
const LONGEST_CELL: usize = 60;

/// Writes a line of CSV. Cells are written exactly as they are, whatever a spreadsheet may make of them.
pub(super) fn write_csv<'a>(cells: impl Iterator<Item = &'a str>, out: &mut Vec<u8>) {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        if cell.contains(['"', ',', '\r', '\n']) {
            out.push(b'"');
            out.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
            out.push(b'"');
        } else {
            out.extend_from_slice(cell.as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes rows as a table.
pub(super) fn write_table(headings: &[&str], mut rows: Vec<Vec<String>>, out: &mut Vec<u8>) {
    let is_terminal = std::io::stdout().is_terminal();
    for cell in rows.iter_mut().flatten() {
        // A record's text must neither steer a terminal nor end a cell.
        *cell = cell.replace(char::is_control, " ");
        if is_terminal {
            *cell = connector_core::wording::shorten(cell, LONGEST_CELL);
        }
    }
    out.extend_from_slice(render::table(headings, &rows).as_bytes());
}

/// Chooses the columns of a table where none are named: the first that have a value in some row.
pub(super) fn choose_filled(rows: &[Vec<String>]) -> Vec<usize> {
    let count = rows.first().map_or(0, Vec::len);
    let is_filled = |column: &usize| rows.iter().any(|row| !row[*column].is_empty());
    (0..count).filter(is_filled).take(MOST_COLUMNS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_quotes_what_would_end_a_cell() {
        let mut out = Vec::new();
        write_csv(["a", "b,c", "say \"x\"", "two\nlines", "", "=1+1", "Łódź"].into_iter(), &mut out);
        assert_eq!(String::from_utf8(out).expect("it is text"), "a,\"b,c\",\"say \"\"x\"\"\",\"two\nlines\",,=1+1,Łódź\r\n");
    }

    #[test]
    fn table_has_the_first_columns_with_a_value() {
        let row = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        assert_eq!(choose_filled(&[row(&["1", "", "x"]), row(&["2", "", ""])]), [0, 2]);
        assert_eq!(choose_filled(&[row(&["x"; 20])]).len(), MOST_COLUMNS);
        assert!(choose_filled(&[]).is_empty());
    }
}
