//! The demo companies: the same records each time, made from fixed seeds.

mod account;
mod activities;
mod call_logs;
mod companies;
mod deals;
mod fields;
mod files;
mod filters;
mod followers;
mod leads;
mod mailbox;
mod notes;
mod organizations;
mod persons;
mod pipelines;
mod products;
mod rows;
mod updates;
mod users;

pub(crate) use companies::{DEMOS, Identity};

use crate::engine::state::State;
use crate::value::random::Random;

/// Makes a company that shares the records of another one. Its users are its own.
pub(crate) fn share_company(company: &Identity, records: &State) -> State {
    let mut state = records.share_with(company.id);
    users::take_over(&mut state, company);
    state
}

/// Makes a demo company with all its records. Records that point to others are made after them.
pub(crate) fn build_company(identity: &Identity) -> State {
    let demo = identity.demo();
    let mut company = State::new(identity.id);
    let state = &mut company;
    let random = &mut Random::from_name(demo.seed);
    users::add(state, identity);
    pipelines::add(state);
    fields::add(state);
    organizations::add(state, demo, random);
    persons::add(state, demo, random);
    deals::add(state, random);
    notes::add(state, random);
    activities::add(state, random);
    filters::add(state);
    fields::add_fixed(state);
    activities::add_types(state);
    account::add(state);
    users::add_settings(state);
    users::add_rights(state);
    deals::add_past_stages(state);
    products::add(state);
    leads::add(state);
    files::add(state);
    call_logs::add(state);
    mailbox::add(state);
    followers::add(state);
    updates::add(state);
    notes::add_about_leads(state);
    notes::add_comments(state);
    activities::add_about_leads(state);
    company
}
