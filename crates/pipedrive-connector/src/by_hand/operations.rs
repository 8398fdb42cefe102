//! The operations that Pipedrive documents: the cost of a call, and the replacement of an old one.

use std::collections::HashMap;
use std::sync::OnceLock;

use connector_core::declare::OutOfSupport;

/// The day on which Pipedrive ended support for operations of v1 that v2 replaces: 2026-08-01.
const UNSUPPORTED_SINCE: i64 = 1_785_542_400;

/// One documented operation.
#[derive(Debug)]
pub(super) struct Operation {
    method: &'static str,
    path: &'static str,
    /// The cost of a call in the daily budget, where it is documented.
    pub(super) cost: Option<u32>,
    /// The operation to call instead, or the word `deprecated`, or `nothing` where nothing replaces it.
    pub(super) instead: Option<&'static str>,
}

/// Finds the operation of a method and a path; `/v1/…` is the same as `/api/v1/…`.
pub(super) fn find_operation(method: &str, path: &str) -> Option<&'static Operation> {
    // By the third segment, as `deals`, which no template leaves open: the gateway asks for each request.
    static OPERATIONS: OnceLock<HashMap<&str, Vec<Operation>>> = OnceLock::new();
    let operations = OPERATIONS.get_or_init(|| {
        let mut by_object: HashMap<&str, Vec<Operation>> = HashMap::new();
        for operation in read_operations() {
            by_object.entry(name_object(operation.path)).or_default().push(operation);
        }
        by_object
    });
    let path = path.strip_prefix("/api").unwrap_or(path);
    let fits = |operation: &&Operation| operation.method == method && count_literals(operation.path, path).is_some();
    operations.get(name_object(path))?.iter().filter(fits).max_by_key(|operation| count_literals(operation.path, path))
}

/// Finds the template of a documented path.
pub(crate) fn find_template(method: &str, path: &str) -> Option<&'static str> {
    find_operation(method, path).map(|operation| operation.path)
}

/// Lists the operations that are supported, by method and path. That for tokens is no call of a connection.
pub(crate) fn list_operations() -> Vec<(&'static str, &'static str)> {
    let supported = read_operations()
        .filter(|operation| operation.instead.is_none_or(|instead| instead == "deprecated") && name_object(operation.path) != "oauth");
    supported.map(|operation| (operation.method, operation.path)).collect()
}

/// Names the object of a path: the segment after its version.
fn name_object(path: &str) -> &str {
    path.strip_prefix("/api").unwrap_or(path).split('/').nth(2).unwrap_or_default()
}

/// Finds what replaces an operation that is out of support. A deprecated operation is still supported.
pub(crate) fn find_out_of_support(method: &str, path: &str) -> Option<OutOfSupport> {
    let instead = find_operation(method, path)?.instead.filter(|instead| *instead != "deprecated")?;
    Some(OutOfSupport::new(UNSUPPORTED_SINCE, Some(instead).filter(|instead| *instead != "nothing")))
}

/// Finds the cost of a request in the daily budget, where it is documented.
pub(crate) fn find_cost(method: &str, path: &str) -> Option<u32> {
    find_operation(method, path)?.cost
}

fn read_operations() -> impl Iterator<Item = Operation> {
    include_str!("operations.tsv").lines().filter_map(read_line)
}

fn read_line(line: &'static str) -> Option<Operation> {
    let mut columns = line.split('\t');
    let (method, path, cost, instead) = (columns.next()?, columns.next()?, columns.next()?, columns.next()?);
    Some(Operation { method, path, cost: cost.parse().ok(), instead: (!instead.is_empty()).then_some(instead) })
}

/// Counts the segments of a path that a template has as literals; none where the path does not fit.
fn count_literals(template: &str, path: &str) -> Option<usize> {
    let template = template.strip_prefix("/api").unwrap_or(template);
    if template.split('/').count() != path.split('/').count() {
        return None;
    }
    template.split('/').zip(path.split('/')).try_fold(0, |count, (expected, actual)| match expected.starts_with('{') {
        true if !actual.is_empty() => Some(count),
        false if expected == actual => Some(count + 1),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefers_a_literal_segment_and_reads_both_forms_of_v1() {
        let summary = find_operation("GET", "/v1/deals/summary").expect("documented");
        assert_eq!((summary.cost, summary.instead), (Some(40), None));
        let old = find_operation("GET", "/api/v1/deals/7").expect("out of support");
        assert_eq!((old.cost, old.instead), (None, Some("GET /api/v2/deals/{id}")));
        assert!(find_operation("GET", "/api/v2/nonsense").is_none());
        assert_eq!(find_template("PATCH", "/api/v2/deals/7"), Some("/api/v2/deals/{id}"));
        assert_eq!((find_template("GET", "/v1/deals/a-name/b"), find_template("GET", "")), (None, None));
        assert_eq!(find_out_of_support("GET", "/v1/deals/7").and_then(|old| old.instead), old.instead);
        assert!(find_out_of_support("GET", "/v1/deals/archived").is_none() && find_out_of_support("GET", "/v1/deals/summary").is_none());
    }
}
