//! The demo companies, and the values in which they differ. All else is made alike.

use std::borrow::Cow;

use crate::engine::state::FIRST_COMPANY;

/// A demo company.
///
/// Users have the ids 1 to 4 in each company, as a Pipedrive user may belong to several:
/// only company and user together name an account.
#[derive(Debug)]
pub(crate) struct Demo {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) domain: &'static str,
    pub(super) country: &'static str,
    pub(super) industry: &'static str,
    /// The seed of its random records.
    pub(super) seed: &'static str,
    /// The mail domain of its users.
    pub(super) mail: &'static str,
    /// Name and mailbox; the first is the admin.
    pub(super) users: [(&'static str, &'static str); 4],
    /// Last names of its persons.
    pub(super) last_names: &'static [&'static str],
    /// First words of the names of its organizations.
    pub(super) customers: &'static [&'static str],
}

/// The names of a company, which are its own also where it has the records of a demo company.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) id: u64,
    pub(crate) name: Cow<'static, str>,
    pub(crate) domain: Cow<'static, str>,
    /// The mail domain of its users.
    pub(super) mail: Cow<'static, str>,
    /// The place in [`DEMOS`] of the company that has its records.
    pub(crate) demo: usize,
}

/// The ids of companies without demo records of their own come after this one.
const FURTHER_IDS: u64 = 10_000;

impl Identity {
    /// Finds the names of the company of a number, counted from 1.
    pub(crate) fn new(number: usize) -> Self {
        let place = number.saturating_sub(1);
        let demo = place % DEMOS.len();
        match DEMOS.get(place) {
            Some(Demo { id, name, domain, mail, .. }) => {
                Self { id: *id, name: (*name).into(), domain: (*domain).into(), mail: (*mail).into(), demo }
            }
            None => Self {
                id: FURTHER_IDS + number as u64,
                name: format!("Company {number}").into(),
                domain: format!("company{number}").into(),
                mail: format!("company{number}.example.com").into(),
                demo,
            },
        }
    }

    /// Returns the demo company whose records it has.
    pub(crate) fn demo(&self) -> &'static Demo {
        &DEMOS[self.demo]
    }
}

pub(crate) const DEMOS: &[Demo] = &[
    Demo {
        id: FIRST_COMPANY,
        name: "Sandbox Inc",
        domain: "sandbox",
        country: "EE",
        industry: "Software",
        seed: "demo",
        mail: "example.com",
        users: [("Ada Sandbox", "ada"), ("Ben Harbour", "ben"), ("Carla Quill", "carla"), ("Deniz Orchard", "deniz")],
        last_names: &[
            "Ashford", "Bergman", "Castell", "Dorn", "Ember", "Falk", "Garnet", "Hale", "Iversen", "Juniper", "Kestrel", "Lind", "Marlow",
        ],
        customers: &["Amber", "Birch", "Cobalt", "Delta", "Elm", "Fjord", "Granite", "Heron", "Indigo", "Jade", "Kelp", "Lumen", "Maple"],
    },
    Demo {
        id: 7402,
        name: "Brightpath Ltd",
        domain: "brightpath",
        country: "GB",
        industry: "Education",
        seed: "brightpath",
        mail: "brightpath.example.com",
        users: [("Edith Lantern", "edith"), ("Femi Rowan", "femi"), ("Gwen Pike", "gwen"), ("Harun Vale", "harun")],
        last_names: &["Abbey", "Bright", "Calder", "Dale", "Everly", "Ford", "Glade", "Holt", "Ives", "Jarrow", "Keel", "Locke", "Mercer"],
        customers: &[
            "Acorn", "Beacon", "Cedar", "Dawn", "Ember", "Falcon", "Garden", "Hazel", "Iris", "Jetty", "Keystone", "Linden", "Meadow",
        ],
    },
    Demo {
        id: 9173,
        name: "Kettle & Crane",
        domain: "kettleandcrane",
        country: "DE",
        industry: "Manufacturing",
        seed: "kettleandcrane",
        mail: "kettleandcrane.example.com",
        users: [("Ilse Kettle", "ilse"), ("Jorn Crane", "jorn"), ("Katya Brook", "katya"), ("Luis Stone", "luis")],
        last_names: &[
            "Albrecht", "Busch", "Conrad", "Decker", "Engel", "Fuchs", "Gruber", "Horn", "Imhof", "Jansen", "Krug", "Lorenz", "Moser",
        ],
        customers: &["Anvil", "Bolt", "Copper", "Drill", "Engine", "Forge", "Gear", "Hammer", "Iron", "Jig", "Kiln", "Lathe", "Mill"],
    },
];
