//! The API: who may call it, and what each path does.

use serde_json::{Map, Value, json};

use crate::server::account::{Account, Staff, TicketFilter};
use crate::server::check::{Form, Param, read_body, read_query};
use crate::server::message::{Denial, Received, Reply};

const STATUSES: Form = Form::OneOf(&["open", "waitingForCustomer", "closed"]);
const PRIORITIES: Form = Form::OneOf(&["low", "normal", "high"]);
const LIMIT: Param = Param::new("limit", Form::Number(1));

/// The scopes, any one of which lets a token read tickets.
const READ: [&str; 2] = ["tickets:read", "tickets:write"];
/// The scope that lets a token change tickets.
const WRITE: [&str; 1] = ["tickets:write"];

/// The number of records on a page, unless a request gives another.
const PAGE_SIZE: u64 = 25;

/// The members that a ticket is written with.
const TICKET: [Param; 9] = [
    Param::new("subject", Form::Text),
    Param::new("requesterEmail", Form::Text),
    Param::new("status", STATUSES),
    Param::new("body", Form::Text),
    Param::new("assigneeEmail", Form::Text).or_null(),
    Param::new("queue", Form::Text).or_null(),
    Param::new("priority", PRIORITIES),
    Param::new("tags", Form::Texts),
    Param::new("dueAt", Form::Time).or_null(),
];

/// Answers a request of an account. `scopes` is what the token was granted; a copied token may do everything.
pub(super) fn answer(account: &mut Account, scopes: Option<&[String]>, request: &Received) -> Result<Reply, Denial> {
    let segments = request.segments();
    let allow = |any: &[&str]| match scopes {
        Some(granted) if !any.iter().any(|scope| granted.iter().any(|other| other == scope)) => {
            Err(Denial::new(403, "missing_scope", format!("The token has not the scope {}.", any.join(" or "))))
        }
        _ => Ok(()),
    };
    match (request.method.as_str(), &segments[1..]) {
        ("GET", ["me"]) => show_owner(account, request),
        ("GET", ["queues"]) => read_query(request, &[]).map(|_| Reply::json(200, Account::list_queues())),
        ("GET", ["people"]) => allow(&["people:read"]).and_then(|()| list_people(account, request)),
        ("GET", ["tags"]) => allow(&READ).and_then(|()| list_tags(account, request)),
        ("GET", ["tickets"]) => allow(&READ).and_then(|()| list_tickets(account, request)),
        ("POST", ["tickets"]) => allow(&WRITE).and_then(|()| create_ticket(account, request)),
        ("POST", ["tickets", "search"]) => allow(&READ).and_then(|()| search_tickets(account, request)),
        ("GET" | "HEAD", ["tickets", id]) => {
            allow(&READ)?;
            read_query(request, &[])?;
            Ok(Reply::json(200, account.get(read_id(id)?)?))
        }
        ("PATCH", ["tickets", id]) => {
            allow(&WRITE)?;
            // The person who asks stays the same.
            let params: Vec<Param> = TICKET.into_iter().filter(|param| !param.is("requesterEmail")).collect();
            let fields = read_body(request, &params)?;
            Ok(Reply::json(200, account.update(read_id(id)?, fields)?))
        }
        ("DELETE", ["tickets", id]) => {
            allow(&WRITE)?;
            read_query(request, &[])?;
            account.delete(read_id(id)?).map(|()| Reply::empty(204))
        }
        (_, ["me" | "queues" | "people" | "tags" | "tickets"] | ["tickets", _]) => {
            Err(Denial::new(405, "wrong_method", format!("{} is not for this path.", request.method)))
        }
        _ => Err(Denial::new(404, "not_found", "There is no such path.")),
    }
}

fn show_owner(account: &Account, request: &Received) -> Result<Reply, Denial> {
    read_query(request, &[])?;
    let Staff { id, name, email, .. } = account.owner();
    let of_account = json!({"id": account.id, "name": account.name});
    Ok(Reply::json(200, json!({"id": id, "displayName": name, "email": email, "account": of_account})))
}

/// Lists people by the number of the page.
fn list_people(account: &Account, request: &Received) -> Result<Reply, Denial> {
    let roles = Form::OneOf(&["agent", "customer"]);
    let params = [Param::new("role", roles), Param::new("page", Form::Number(1)), Param::new("perPage", Form::Number(1))];
    let query = read_query(request, &params)?;
    let (page, size) = (number(&query, "page", 1), number(&query, "perPage", PAGE_SIZE));
    let all = account.list_people(text(&query, "role"));
    let last = (all.len() as u64).div_ceil(size).max(1);
    let (people, _) = cut(&all, (page - 1).saturating_mul(size), size);
    let show =
        |person: &Staff| json!({"id": person.id, "role": person.role, "profile": {"displayName": person.name, "email": person.email}});
    let people: Vec<Value> = people.iter().map(show).collect();
    Ok(Reply::json(200, json!({"people": people, "meta": {"page": page, "lastPage": last}})))
}

/// Lists tags by an offset.
fn list_tags(account: &Account, request: &Received) -> Result<Reply, Denial> {
    let query = read_query(request, &[Param::new("offset", Form::Number(0)), LIMIT])?;
    let (offset, size) = (number(&query, "offset", 0), number(&query, "limit", PAGE_SIZE));
    let all = account.count_tags();
    let (items, next) = cut(&all, offset, size);
    let mut window = json!({"items": items, "more": next.is_some()});
    if let Some(next) = next {
        window["next"] = next.into();
    }
    Ok(Reply::json(200, json!({"window": window})))
}

/// Lists tickets: a bare array, whose next page a header links to.
fn list_tickets(account: &Account, request: &Received) -> Result<Reply, Denial> {
    let params = [Param::new("status", STATUSES), Param::new("requesterEmail", Form::Text), LIMIT, Param::new("afterId", Form::Number(1))];
    let query = read_query(request, &params)?;
    let filter = TicketFilter {
        status: text(&query, "status"),
        requester: text(&query, "requesterEmail"),
        after: number(&query, "afterId", 0),
        ..TicketFilter::default()
    };
    let found = account.list(filter);
    let (tickets, next) = cut(&found, 0, number(&query, "limit", PAGE_SIZE));
    let reply = Reply::json(200, tickets.into());
    let Some((_, last)) = next.zip(tickets.last()) else { return Ok(reply) };
    let url = format!("{}{}?", request.origin, request.path);
    let start = url.len();
    let mut link = form_urlencoded::Serializer::for_suffix(url, start);
    link.extend_pairs(request.query.iter().filter(|(name, _)| name != "afterId")).append_pair("afterId", &last["id"].to_string());
    Ok(reply.with_header("link", format!("<{}>; rel=\"next\"", link.finish())))
}

/// Searches tickets by a cursor in the body.
fn search_tickets(account: &Account, request: &Received) -> Result<Reply, Denial> {
    let params = [Param::new("text", Form::Text).required(), Param::new("status", STATUSES), LIMIT, Param::new("after", Form::Text)];
    let body = read_body(request, &params)?;
    let after = text(&body, "after").map_or(Ok(0), read_cursor)?;
    let filter = TicketFilter { status: text(&body, "status"), text: text(&body, "text"), after, ..TicketFilter::default() };
    let found = account.list(filter);
    let (results, next) = cut(&found, 0, number(&body, "limit", PAGE_SIZE));
    let paging = match next.zip(results.last()) {
        Some((_, last)) => json!({"next": {"after": write_cursor(&last["id"])}}),
        None => json!({}),
    };
    Ok(Reply::json(200, json!({"results": results, "paging": paging})))
}

fn create_ticket(account: &mut Account, request: &Received) -> Result<Reply, Denial> {
    let required = |param: Param| if param.is("subject") || param.is("requesterEmail") { param.required() } else { param };
    let params: Vec<Param> = TICKET.into_iter().filter(|param| !param.is("status")).map(required).collect();
    Ok(Reply::json(201, account.create(read_body(request, &params)?)?))
}

fn read_id(segment: &str) -> Result<u64, Denial> {
    segment.parse().map_err(|_| Denial::new(404, "not_found", "A ticket has a number."))
}

/// Writes a cursor that says nothing to whom it is given.
fn write_cursor(id: &Value) -> String {
    format!("t{id}/x=")
}

fn read_cursor(cursor: &str) -> Result<u64, Denial> {
    let id = cursor.strip_prefix('t').and_then(|rest| rest.strip_suffix("/x=")).and_then(|id| id.parse().ok());
    id.ok_or_else(|| Denial::at("after", "The cursor is none of this search."))
}

fn text<'a>(read: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    read.get(name)?.as_str()
}

fn number(read: &Map<String, Value>, name: &str, default: u64) -> u64 {
    read.get(name).and_then(Value::as_u64).unwrap_or(default)
}

/// Cuts a page out of a list. Returns the index at which the next one begins, if there is one.
fn cut<T>(all: &[T], start: u64, size: u64) -> (&[T], Option<usize>) {
    let index = |number: u64| usize::try_from(number).unwrap_or(usize::MAX).min(all.len());
    let (start, end) = (index(start), index(start.saturating_add(size)));
    (&all[start..end], (end < all.len()).then_some(end))
}
