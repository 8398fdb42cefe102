//! Deals.

mod reports;
pub(crate) mod statistics;
mod worth;

use serde_json::Value;

use crate::engine::collection::{
    CRM, Call, Collection, Draft, FieldTables, NO_COLLECTION, NO_OBJECT, Object, Preset, Search, SearchPlace, V1,
};
use crate::engine::fields::is_currency;
use crate::engine::state::State;
use crate::objects::deals::statistics::{PAST_STAGES, record_stage};
use crate::objects::deals::worth::weigh;
use crate::objects::roles::find_visibility;
use crate::objects::users::{CALLER, CURRENCY_OF_CALLER};
use crate::objects::{deal_products, derived, participants};
use crate::value::clock::stamp;
use crate::value::failure::Failure;
use crate::value::money;
use crate::value::record::{Record, is_deleted, read_flag, read_id, read_text};

pub(super) const OBJECT: Object = Object {
    collections: &[Collection {
        name: "deals",
        label: "Deal",
        route: "/api/v2/deals",
        verbs: CRM,
        links: &[
            ("owner_id", "users"),
            ("creator_user_id", "users"),
            ("person_id", "persons"),
            ("org_id", "organizations"),
            ("pipeline_id", "pipelines"),
            ("stage_id", "stages"),
        ],
        foreign_key: "deal_id",
        related_key: Some("deal"),
        defaults: &[
            ("owner_id", CALLER),
            ("creator_user_id", CALLER),
            ("value", Preset::Number(0)),
            ("currency", CURRENCY_OF_CALLER),
            ("status", Preset::Text("open")),
            ("visible_to", Preset::Computed(|state, call| find_visibility(state, call.user, "deal_default_visibility"))),
            ("label_ids", Preset::EmptyList),
            ("origin", Preset::Text("API")),
            ("is_archived", Preset::Flag(false)),
            ("custom_fields", Preset::EmptyObject),
        ],
        fields: FieldTables::new("dealFields"),
        search: Some(&Search {
            kind: "deal",
            fields: &[
                ("title", SearchPlace::Field("title")),
                ("notes", SearchPlace::About("notes", "content")),
                ("custom_fields", SearchPlace::CustomFields),
            ],
            nested: &[
                ("owner", "owner_id", "users"),
                ("stage", "stage_id", "stages"),
                ("person", "person_id", "persons"),
                ("organization", "org_id", "organizations"),
            ],
            computed: &[("value", |_, deal| money::round_amount(deal))],
            includable: &[("deal.cc_email", "cc_email", |state, at, row| (at.derive)(state, at, row, "smart_bcc_email"))],
        }),
        filter: Some(("deals", "deal")),
        readable_when_deleted: true,
        further_fields: &["creator_user_id", "archive_time"],
        v1: &[
            ("user_id", V1::From("owner_id")),
            ("deleted", V1::From("is_deleted")),
            ("cc_email", V1::From("smart_bcc_email")),
            ("company_id", V1::Computed(|state, _| state.company().into())),
            ("first_add_time", V1::From("add_time")),
            ("label", V1::From("label_ids")),
        ],
        check,
        after_write: participants::join_own_person,
        keeps_changes: true,
        changes_not_kept: &["stage_change_time", PAST_STAGES],
        not_merged: &["won_time", "lost_time", "close_time", "lost_reason", "first_won_time", "archive_time", PAST_STAGES],
        derive,
        after_merge: add_up_products,
        ..NO_COLLECTION
    }],
    reports: &[
        ("/api/v1/deals/summary", reports::summarize),
        ("/api/v1/deals/timeline", reports::list_timeline),
        ("/api/v1/pipelines/{id}/conversion_statistics", statistics::report_conversion),
        ("/api/v1/pipelines/{id}/movement_statistics", statistics::report_movement),
    ],
    ..NO_OBJECT
};

fn check(draft: &mut Draft) -> Result<(), Failure> {
    draft.require_text("title")?;
    if !is_currency(read_text(draft.row, "currency")) {
        return Err(Failure::invalid("currency", "must be a currency code of three letters"));
    }
    if draft.row.get("probability").and_then(Value::as_f64).is_some_and(|p| !(0.0..=100.0).contains(&p)) {
        return Err(Failure::invalid("probability", "must be between 0 and 100"));
    }
    set_stage(draft)?;
    set_conclusion(draft)?;
    let archived = read_flag(draft.row, "is_archived");
    if !archived {
        draft.clear("archive_time");
    } else if !draft.is_in_body("archive_time") && draft.value_before("is_archived") != Some(&Value::Bool(true)) {
        draft.set("archive_time", stamp(draft.call.now));
    }
    Ok(())
}

/// Sets a deal's pipeline and stage. A stage implies its pipeline, and a pipeline its first stage.
fn set_stage(draft: &mut Draft) -> Result<(), Failure> {
    let row = &*draft.row;
    let stages_of = |pipeline: Option<&Value>| {
        let stages = draft.state.live("stages").filter(move |stage| stage.get("pipeline_id") == pipeline);
        stages.min_by_key(|stage| stage.get("order_nr").and_then(Value::as_u64))
    };
    let stage = if draft.is_in_body("stage_id") {
        let stage = draft.state.find_linked(row, "stage_id", "stages");
        if draft.is_in_body("pipeline_id") && stage.and_then(|s| s.get("pipeline_id")) != row.get("pipeline_id") {
            return Err(Failure::invalid("stage_id", "does not belong to the pipeline"));
        }
        stage
    } else if draft.is_in_body("pipeline_id") && draft.value_before("pipeline_id") != row.get("pipeline_id") {
        stages_of(row.get("pipeline_id"))
    } else if draft.before.is_some() {
        return Ok(());
    } else {
        let first = draft.state.live("pipelines").min_by_key(|p| p.get("order_nr").and_then(Value::as_u64));
        first.and_then(|pipeline| stages_of(pipeline.get("id")))
    };
    let stage = stage.ok_or_else(|| Failure::invalid("pipeline_id", "has no stage"))?;
    let (id, pipeline) = (stage.get("id").cloned(), stage.get("pipeline_id").cloned());
    if draft.value_before("stage_id") != id.as_ref() {
        if let Some(before) = draft.before {
            record_stage(before, draft.row);
        }
        draft.set("stage_change_time", stamp(draft.call.now));
    }
    draft.set("stage_id", id);
    draft.set("pipeline_id", pipeline);
    Ok(())
}

/// Sets the times and the reason that belong to a deal's status, and clears the others.
fn set_conclusion(draft: &mut Draft) -> Result<(), Failure> {
    const BELONGS: &[(&str, &[&str])] =
        &[("lost_reason", &["lost"]), ("lost_time", &["lost"]), ("won_time", &["won"]), ("close_time", &["won", "lost"])];
    let status = read_text(draft.row, "status").to_owned();
    let now = stamp(draft.call.now);
    for (field, statuses) in BELONGS {
        if statuses.contains(&status.as_str()) {
            continue;
        }
        if draft.is_in_body(field) {
            return Err(Failure::invalid(field, format!("can only be set with status {}", statuses.join(" or "))));
        }
        draft.clear(field);
    }
    let time = match status.as_str() {
        "won" => "won_time",
        "lost" => "lost_time",
        _ => return Ok(()),
    };
    let changed = draft.value_before("status").and_then(Value::as_str) != Some(&status);
    if !draft.is_in_body(time) && (changed || !draft.row.contains_key(time)) {
        let when = draft.call.body.get("close_time").filter(|v| !v.is_null()).cloned();
        draft.set(time, when.unwrap_or_else(|| now.into()));
    }
    if !draft.is_in_body("close_time") && (changed || draft.is_in_body(time)) {
        draft.set("close_time", draft.row.get(time).cloned());
    }
    if status == "won" && !draft.row.contains_key("first_won_time") {
        draft.set("first_won_time", draft.row.get("won_time").cloned());
    }
    Ok(())
}

fn derive(state: &State, at: &Collection, deal: &Record, name: &str) -> Option<Value> {
    Some(match name {
        "products_count" => deal_products::list_rows(state, deal).count().into(),
        "participants_count" => participants::list_participants(state, read_id(deal)?).count().into(),
        "org_hidden" | "person_hidden" => Value::Bool(false),
        "active" => Value::Bool(read_text(deal, "status") == "open" && !is_deleted(deal)),
        "stage_order_nr" => state.find_linked(deal, "stage_id", "stages")?.get("order_nr")?.clone(),
        "formatted_value" => money::format(money::read_amount(deal), read_text(deal, "currency")).into(),
        "weighted_value" => weigh(state, deal).into(),
        "formatted_weighted_value" => money::format(weigh(state, deal), read_text(deal, "currency")).into(),
        "weighted_value_currency" => deal.get("currency")?.clone(),
        _ => derived::derive(state, at, deal, name)?,
    })
}

/// Gives the survivor of a merge the value of the products of both deals.
fn add_up_products(state: &mut State, call: &Call, _: u64, into: u64) {
    let survivor = state.get("deals", into).cloned().unwrap_or_default();
    if deal_products::list_rows(state, &survivor).next().is_some() {
        deal_products::revalue(state, call, &survivor);
    }
}
