//! Faults of an input: a place, a code, and the message and the hint that follow from the code.

use std::fmt;

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};
use serde_json::Value;

use crate::value::redaction::Redaction;
use crate::value::wording::{count_of, count_over, find_listed, list_names, shorten};

/// The characters that a message quotes of a value.
const LONGEST_QUOTE: usize = 200;

/// A fault of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    path: String,
    code: FaultCode,
}

/// A code that says what is wrong at a place of an input, with the facts that its message needs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultCode {
    /// A required input is missing.
    Missing,
    /// An input is missing that is required beside this value of another.
    MissingBeside {
        /// The other input.
        other: &'static str,
        /// The value of the other input.
        value: String,
    },
    /// None of these inputs is given, and one of them is required.
    NoneGiven(&'static [&'static str]),
    /// Two inputs are given that exclude each other.
    Exclusive(Vec<&'static str>),
    /// An input is set that may only be set beside some values of another.
    SetBeside {
        /// The other input.
        other: &'static str,
        /// The values of the other input that allow it.
        allowed: &'static [&'static str],
        /// The value that the other input has.
        value: String,
        /// `true` if that value is the default, since the other input is left out.
        by_default: bool,
    },
    /// A required input is null.
    NullRequired,
    /// An input is null that cannot be cleared.
    NullNotClearable,
    /// A value is of none of these types.
    WrongType {
        /// The value, shortened.
        value: String,
        /// The types that are taken.
        expected: Vec<JsonType>,
    },
    /// A value is none of a closed set.
    NotListed {
        /// The value, shortened.
        value: String,
        /// The values of the set, as JSON.
        allowed: Vec<String>,
    },
    /// A text does not have the form that is required.
    WrongForm {
        /// The text, shortened, as JSON.
        value: String,
        /// A text of the right form.
        example: String,
    },
    /// A day or a time does not exist in the calendar.
    NotInCalendar {
        /// The text, as JSON.
        value: String,
    },
    /// A time has no zone, and without one it names no moment.
    NoZone {
        /// The text, shortened, as JSON.
        value: String,
    },
    /// A time of day has no day beside it, and in the zone that the caller names it needs one.
    NoDay {
        /// The text, as JSON.
        value: String,
        /// The zone.
        zone: String,
        /// The input that takes the day.
        day: &'static str,
    },
    /// A time does not exist in a zone, since the clock goes over it.
    SkippedTime {
        /// The time, as JSON.
        value: String,
        /// The zone.
        zone: String,
        /// The time at which the clock is changed, and the time that it shows then.
        gap: Box<[String; 2]>,
    },
    /// A time exists twice in a zone, since the clock is set back.
    DoubledTime {
        /// The time, as JSON.
        value: String,
        /// The zone.
        zone: String,
        /// The two moments.
        moments: Box<[String; 2]>,
        /// The input that has the day, where that is another one. Such a time takes no zone of its own.
        beside: Option<&'static str>,
    },
    /// A number is less than the minimum.
    TooSmall {
        /// The number.
        value: String,
        /// The minimum.
        minimum: String,
    },
    /// A number is greater than the maximum.
    TooLarge {
        /// The number.
        value: String,
        /// The maximum.
        maximum: String,
    },
    /// A text is too short.
    TooShort {
        /// The text, as JSON.
        value: String,
        /// The characters that it must have.
        minimum: u64,
    },
    /// A text is too long.
    TooLong {
        /// The characters that it has.
        length: u64,
        /// The characters that it may have.
        maximum: u64,
    },
    /// A list is empty.
    EmptyList,
    /// A list has too many items.
    TooManyItems {
        /// The items that it has.
        count: u64,
        /// The items that it may have.
        maximum: u64,
    },
    /// There is no such input.
    Unknown {
        /// The nearest name, where one is near.
        nearest: Option<String>,
        /// The names that there are.
        known: Vec<String>,
    },
    /// The action does not take an input that others like it take.
    NotTaken {
        /// The reason.
        why: &'static str,
    },
    /// A start is given to a list that pages by a cursor.
    PagesByCursor {
        /// The start, shortened, as JSON.
        value: String,
    },
    /// A member of an object is given twice.
    GivenTwice,
    /// A number would not arrive as it was given.
    Inexact {
        /// The number, where it can still be shown.
        value: Option<String>,
    },
    /// A name stands for several things.
    Ambiguous {
        /// The name, shortened, as JSON.
        value: String,
        /// The things that it can stand for, as many as a message has room for.
        candidates: Vec<Candidate>,
    },
    /// A name stands for nothing.
    NothingNamed {
        /// A noun for such things, as `custom field`.
        noun: &'static str,
        /// The name, shortened, as JSON.
        value: String,
        /// The nearest names, the nearest first.
        nearest: Vec<String>,
    },
    /// A field of every account is given among custom fields.
    NotCustom {
        /// The code of the field.
        code: String,
        /// The input that takes the field, if the action has one.
        input: Option<&'static str>,
    },
    /// A text stands where a number is taken that is an ID, or an object that names one.
    BareName {
        /// The name, shortened, as JSON.
        value: String,
    },
    /// A text, shortened, as JSON, has quotes of its own around the value.
    QuotedTwice(String),
    /// A value that has parts is given without the others, which would be guessed.
    PartAlone {
        /// The part, shortened, as JSON.
        value: String,
        /// A whole value, as JSON.
        example: &'static str,
    },
    /// A record has another value than the caller expects.
    Differs {
        /// The value that is expected, as it was given, and the one that the record has.
        values: Box<[Value; 2]>,
    },
    /// A record cannot be found by an input: the reason, without a full stop, and the inputs by which it can.
    NotMatchable(String, Vec<&'static str>),
    /// A fault that none of the other codes stands for, as a sentence without a full stop.
    Other(String),
}

/// A thing that an ambiguous name can stand for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// The ID, which is never ambiguous.
    pub id: Value,
    /// The text that people see.
    pub label: String,
}

/// A type of JSON values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonType {
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A text.
    Text,
    /// A list.
    List,
    /// An object.
    Object,
    /// Null.
    Null,
}

impl Fault {
    /// A fault at a JSON pointer into the input.
    pub fn at(path: impl Into<String>, code: FaultCode) -> Self {
        Self { path: path.into(), code }
    }

    /// A fault that no code stands for, with its message.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::at(path, FaultCode::Other(message.into()))
    }

    /// The things that an ambiguous name can stand for. Any other fault has none.
    pub fn candidates(&self) -> &[Candidate] {
        match &self.code {
            FaultCode::Ambiguous { candidates, .. } => candidates,
            _ => &[],
        }
    }

    /// The JSON pointer into the input.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The code of what is wrong there.
    pub fn code(&self) -> &FaultCode {
        &self.code
    }

    /// Writes the message.
    pub fn message(&self) -> String {
        self.code.to_string()
    }

    /// Writes how to correct it.
    pub fn hint(&self) -> String {
        let name = self.path.trim_start_matches('/');
        self.code.hint(if name.is_empty() { "the input" } else { name })
    }

    /// The same fault at another place.
    #[must_use]
    pub(crate) fn moved_to(self, path: impl Into<String>) -> Self {
        Self::at(path, self.code)
    }

    /// The same fault without secrets in its words.
    #[must_use]
    pub(crate) fn redact(self, redaction: &Redaction) -> Self {
        let path = redaction.redact(&self.path).into_owned();
        let (message, hint) = (self.message(), self.hint());
        // A message has a long value shortened, and the fault has it whole.
        let values_are_clean = match &self.code {
            FaultCode::Differs { values } => values.iter().all(|value| redaction.is_clean(&value.to_string())),
            _ => true,
        };
        let code = if values_are_clean && redaction.is_clean(&message) && redaction.is_clean(&hint) {
            self.code
        } else {
            FaultCode::Other(redaction.redact(&message).into_owned())
        };
        Self { path, code }
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let candidates = self.candidates();
        let values = if let FaultCode::Differs { values } = &self.code { Some(&**values) } else { None };
        let members = 2 + usize::from(!candidates.is_empty()) + if values.is_some() { 2 } else { 0 };
        let mut fault = serializer.serialize_struct("Fault", members)?;
        fault.serialize_field("path", &self.path)?;
        fault.serialize_field("message", &self.message())?;
        if let Some([expected, actual]) = values {
            fault.serialize_field("expected", expected)?;
            fault.serialize_field("actual", actual)?;
        }
        if !candidates.is_empty() {
            fault.serialize_field("candidates", candidates)?;
        }
        fault.end()
    }
}

impl FaultCode {
    /// Says how to correct the input `name`.
    fn hint(&self, name: &str) -> String {
        match self {
            Self::Missing | Self::MissingBeside { .. } | Self::NullRequired => format!("Give {name}."),
            Self::NoneGiven(names) => format!("Give {}.", list_names(names, "or")),
            Self::Exclusive(names) => format!("Give only one of {}.", list_names(names, "and")),
            Self::SetBeside { other, allowed, .. } => format!("Set `{other}` to {}, or leave {name} out.", list_names(allowed, "or")),
            Self::NullNotClearable => format!("Give {name} a value, or leave it out to keep it as it is."),
            Self::WrongType { expected, .. } => {
                let ways: Vec<&str> = expected.iter().map(|kind| kind.way_to_write()).collect();
                format!("Give {name} as {}.", ways.join(", or as "))
            }
            Self::NotListed { value, allowed } => match find_listed(value, allowed) {
                Some(meant) => format!("Write {name} as {meant}, just as it stands here."),
                None => format!("Give {name} as one of these values, in the same case."),
            },
            Self::BareName { value } => format!("Give {name} as a whole number, or as {{\"name\": {value}}}."),
            Self::QuotedTwice(_) => format!("Take the inner quotes of {name} away."),
            Self::WrongForm { .. } | Self::PartAlone { .. } => format!("Write {name} in the form shown."),
            Self::NotInCalendar { .. } => format!("Give {name} a day and a time that exist."),
            Self::NoZone { .. } => {
                format!("Write {name} with its zone at the end, as Z or +02:00, or name the zone in options.timeZone, as Europe/Tallinn.")
            }
            Self::NoDay { day, .. } => format!("Give `{day}` too."),
            Self::SkippedTime { gap, .. } => format!("Give {name} a time that exists there, as {}.", gap[1]),
            Self::DoubledTime { beside: Some(day), .. } => {
                format!("Leave options.timeZone out, and give `{day}` and {name} in UTC, as one of the two.")
            }
            Self::DoubledTime { beside: None, .. } => format!("Give {name} as one of the two, with its zone."),
            Self::TooSmall { minimum, .. } => format!("Give {name} a value of at least {minimum}."),
            Self::TooLarge { maximum, .. } => format!("Give {name} a value of at most {maximum}."),
            Self::TooShort { minimum: 1, .. } => format!("Give {name} a text that is not empty."),
            Self::TooShort { minimum, .. } => format!("Give {name} at least {}.", count_of(*minimum, "character")),
            Self::TooLong { maximum, .. } => format!("Shorten {name} to {}.", count_of(*maximum, "character")),
            Self::EmptyList => format!("Give {name} an item, or leave it out."),
            Self::TooManyItems { maximum, .. } => format!("Give {name} at most {}.", count_of(*maximum, "item")),
            Self::Unknown { nearest: Some(nearest), .. } => format!("Write `{nearest}` in place of {name}, or leave it out."),
            Self::Unknown { nearest: None, .. } | Self::NotTaken { .. } | Self::NotCustom { input: None, .. } => {
                format!("Leave {name} out.")
            }
            Self::PagesByCursor { .. } => format!("Give `cursor`, the `page.next` of the page before, and leave {name} out."),
            Self::GivenTwice => format!("Give {name} once."),
            Self::Inexact { .. } => format!("Give {name} a number that is carried exactly."),
            Self::Ambiguous { .. } => format!("Give {name} by the ID of the one that is meant."),
            Self::NothingNamed { nearest, .. } if !nearest.is_empty() => format!("Write {name} as one of those, or give its ID."),
            Self::NothingNamed { .. } => format!("Give {name} a name that exists, or an ID."),
            Self::NotCustom { input: Some(input), .. } => format!("Give `{input}` beside the custom fields."),
            Self::Differs { .. } => format!("Read the record again, and see what its {name} means for the change."),
            Self::NotMatchable(_, known) => format!("Match by {}, and give it a value.", list_names(known, "or")),
            Self::Other(_) => format!("Correct {name}, and try again."),
        }
    }
}

/// The message, without a full stop.
impl fmt::Display for FaultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("is required"),
            Self::MissingBeside { other, value } => write!(f, "is required where `{other}` is `{value}`"),
            Self::NoneGiven(names) => write!(f, "at least one of {} is required", list_names(names, "or")),
            Self::Exclusive(names) => write!(f, "{} exclude each other", list_names(names, "and")),
            Self::SetBeside { other, allowed, value, by_default } => {
                let left_out = if *by_default { "left out, " } else { "" };
                write!(f, "can be set only where `{other}` is {}; {left_out}it is `{value}`", list_names(allowed, "or"))
            }
            Self::NullRequired => f.write_str("is null, and a value is required"),
            Self::NullNotClearable => f.write_str("is null, and cannot be cleared"),
            Self::WrongType { value, expected } => {
                let nouns: Vec<&str> = expected.iter().map(|kind| kind.noun()).collect();
                write!(f, "{value} is not {}", nouns.join(" or "))
            }
            Self::NotListed { value, allowed } => write!(f, "{value} is not one of {}", allowed.join(", ")),
            Self::WrongForm { value, example } => write!(f, "{value} does not have the form {example:?}"),
            Self::NotInCalendar { value } => write!(f, "{value} does not exist in the calendar"),
            Self::NoZone { value } => write!(f, "{value} has no zone: give one, as in \"2026-01-31T09:30:00Z\", or options.timeZone"),
            Self::NoDay { value, zone, day } => write!(f, "{value} in {zone} is a moment only together with `{day}`"),
            Self::SkippedTime { value, zone, gap } => {
                let [from, to] = &**gap;
                write!(f, "{value} does not exist in {zone}, where the clock goes from {from} to {to}")
            }
            Self::DoubledTime { value, zone, moments, .. } => {
                let [first, second] = &**moments;
                write!(f, "{value} exists twice in {zone}: as {first} and as {second}")
            }
            Self::TooSmall { value, minimum } => write!(f, "{value} is less than the minimum of {minimum}"),
            Self::TooLarge { value, maximum } => write!(f, "{value} is greater than the maximum of {maximum}"),
            Self::TooShort { value, minimum } => write!(f, "{value} is shorter than {}", count_of(*minimum, "character")),
            Self::TooLong { length, maximum } => f.write_str(&count_over(*length, *maximum, "character")),
            Self::EmptyList => f.write_str("the list is empty"),
            Self::TooManyItems { count, maximum } => f.write_str(&count_over(*count, *maximum, "item")),
            Self::Unknown { nearest: Some(nearest), .. } => write!(f, "there is no such input; the nearest is `{nearest}`"),
            Self::Unknown { known, .. } if known.is_empty() => f.write_str("there is no such input"),
            Self::Unknown { known, .. } => {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                write!(f, "there is no such input; the inputs are {}", list_names(&known, "and"))
            }
            Self::NotTaken { why } => write!(f, "there is no such input here: {why}"),
            Self::PagesByCursor { value } => write!(f, "is {value}, and the list pages by a cursor: only 0, the first page, can be given"),
            Self::GivenTwice => f.write_str("is given twice"),
            Self::Inexact { value: Some(value) } => write!(f, "{value} is too large to be carried exactly"),
            Self::Inexact { value: None } => f.write_str("is a number too large to be carried exactly"),
            Self::Ambiguous { value, candidates } => {
                let named: Vec<String> = candidates.iter().map(|candidate| format!("{} ({})", candidate.id, candidate.label)).collect();
                write!(f, "{value} stands for several: {}", named.join(", "))
            }
            Self::NothingNamed { noun, value, nearest } if nearest.is_empty() => write!(f, "there is no {} {value}", noun.to_lowercase()),
            Self::NothingNamed { noun, value, nearest } => {
                let nearest: Vec<String> = nearest.iter().map(|name| format!("{name:?}")).collect();
                let verb = if nearest.len() == 1 { "is" } else { "are" };
                write!(f, "there is no {} {value}; the nearest {verb} {}", noun.to_lowercase(), nearest.join(", "))
            }
            Self::NotCustom { code, input } => {
                write!(f, "`{code}` is no custom field: every account has it")?;
                input.map_or(Ok(()), |input| write!(f, ", and the input `{input}` takes it"))
            }
            Self::BareName { value } => write!(f, "{value} is not a whole number"),
            Self::QuotedTwice(value) => write!(f, "{value} is a text with quotes of its own"),
            Self::PartAlone { value, example } => write!(f, "{value} is one part of a value: give all, as {example}"),
            Self::Differs { values } => {
                let [expected, actual] = &**values;
                let quote = |value: &Value| shorten(&value.to_string(), LONGEST_QUOTE);
                write!(f, "is {}, and {} is expected", quote(actual), quote(expected))
            }
            Self::NotMatchable(message, _) | Self::Other(message) => f.write_str(message),
        }
    }
}

impl JsonType {
    /// Reads a type as JSON Schema writes it.
    pub(crate) fn from_schema(word: &str) -> Option<Self> {
        Some(match word {
            "integer" => Self::Integer,
            "number" => Self::Number,
            "boolean" => Self::Boolean,
            "string" => Self::Text,
            "array" => Self::List,
            "object" => Self::Object,
            "null" => Self::Null,
            _ => return None,
        })
    }

    const fn noun(self) -> &'static str {
        match self {
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Boolean => "true or false",
            Self::Text => "text",
            Self::List => "a list",
            Self::Object => "an object",
            Self::Null => "null",
        }
    }

    const fn way_to_write(self) -> &'static str {
        match self {
            Self::Text => "text, in quotes",
            Self::List => "a list, in square brackets",
            Self::Object => "an object, in braces",
            Self::Integer | Self::Number | Self::Boolean | Self::Null => self.noun(),
        }
    }
}
