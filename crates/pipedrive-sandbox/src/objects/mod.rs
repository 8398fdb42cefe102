//! The objects that the sandbox serves: one file each, with its rows, rules and reports.

pub(crate) mod account;
pub(crate) mod activities;
pub(crate) mod activity_types;
pub(crate) mod call_logs;
pub(crate) mod comments;
pub(crate) mod custom_fields;
pub(crate) mod deal_products;
pub(crate) mod deals;
pub(crate) mod derived;
pub(crate) mod files;
pub(crate) mod followers;
pub(crate) mod leads;
pub(crate) mod mailbox;
pub(crate) mod notes;
pub(crate) mod organizations;
pub(crate) mod participants;
pub(crate) mod permitted_users;
pub(crate) mod persons;
pub(crate) mod pictures;
pub(crate) mod pipelines;
pub(crate) mod products;
pub(crate) mod roles;
pub(crate) mod saved_filters;
pub(crate) mod stages;
pub(crate) mod updates;
pub(crate) mod users;

use crate::engine::collection::Tables;

/// All objects. This is the only list: a new object adds its line here.
pub(crate) static TABLES: Tables = Tables {
    objects: &[
        deals::OBJECT,
        persons::OBJECT,
        organizations::OBJECT,
        activities::OBJECT,
        pipelines::OBJECT,
        stages::OBJECT,
        custom_fields::OBJECT,
        users::OBJECT,
        notes::OBJECT,
        saved_filters::OBJECT,
        activity_types::OBJECT,
        comments::OBJECT,
        roles::OBJECT,
        call_logs::OBJECT,
        files::OBJECT,
        pictures::OBJECT,
        followers::OBJECT,
        participants::OBJECT,
        leads::OBJECT,
        mailbox::OBJECT,
        products::OBJECT,
        deal_products::OBJECT,
        account::OBJECT,
        permitted_users::OBJECT,
        updates::OBJECT,
    ],
    filters: saved_filters::TABLE,
    unserved_filter_objects: &["project"],
};
