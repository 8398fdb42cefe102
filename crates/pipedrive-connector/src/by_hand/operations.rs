//! What Pipedrive documents of a path: what a call costs, and what replaced it.

use std::sync::OnceLock;

use connector_core::OutOfSupport;

/// The day from which Pipedrive supports none of the operations of v1 that v2 replaces: 2026-08-01.
const UNSUPPORTED_SINCE: i64 = 1_785_542_400;

/// One documented operation.
#[derive(Debug)]
pub(super) struct Operation {
    method: &'static str,
    path: &'static str,
    /// What a call costs of the daily budget, where it is documented.
    pub(super) cost: Option<u32>,
    /// What to call instead, where it is deprecated or out of support.
    pub(super) instead: Option<&'static str>,
}

/// The operation of a method and a path; `/v1/…` is the same as `/api/v1/…`.
pub(super) fn operation(method: &str, path: &str) -> Option<&'static Operation> {
    static OPERATIONS: OnceLock<Vec<Operation>> = OnceLock::new();
    let operations = OPERATIONS.get_or_init(|| include_str!("operations.tsv").lines().filter_map(read).collect());
    let path = path.strip_prefix("/api").unwrap_or(path);
    let fits = |operation: &&Operation| operation.method == method && literals(operation.path, path).is_some();
    operations.iter().filter(fits).max_by_key(|operation| literals(operation.path, path))
}

/// What to call in place of an operation that is out of support; one that is merely deprecated is not.
pub(crate) fn out_of_support(method: &str, path: &str) -> Option<OutOfSupport> {
    let instead = operation(method, path)?.instead.filter(|instead| *instead != "deprecated")?;
    Some(OutOfSupport { since: UNSUPPORTED_SINCE, instead: Some(instead).filter(|instead| *instead != "nothing") })
}

fn read(line: &'static str) -> Option<Operation> {
    let mut columns = line.split('\t');
    let (method, path, cost, instead) = (columns.next()?, columns.next()?, columns.next()?, columns.next()?);
    Some(Operation { method, path, cost: cost.parse().ok(), instead: (!instead.is_empty()).then_some(instead) })
}

/// How many segments are the same to the letter, where the path fits the template.
fn literals(template: &str, path: &str) -> Option<usize> {
    let template = template.strip_prefix("/api").unwrap_or(template);
    if template.split('/').count() != path.split('/').count() {
        return None;
    }
    template.split('/').zip(path.split('/')).try_fold(0, |same, (wanted, given)| match wanted.starts_with('{') {
        true if !given.is_empty() => Some(same),
        false if wanted == given => Some(same + 1),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_segment_beats_a_variable_and_both_forms_of_v1_are_one() {
        let summary = operation("GET", "/v1/deals/summary").expect("documented");
        assert_eq!((summary.cost, summary.instead), (Some(40), None));
        let old = operation("GET", "/api/v1/deals/7").expect("out of support");
        assert_eq!((old.cost, old.instead), (None, Some("GET /api/v2/deals/{id}")));
        assert!(operation("GET", "/api/v2/nonsense").is_none());
        assert_eq!(out_of_support("GET", "/v1/deals/7").and_then(|old| old.instead), old.instead);
        assert!(out_of_support("GET", "/v1/deals/archived").is_none() && out_of_support("GET", "/v1/deals/summary").is_none());
    }
}
