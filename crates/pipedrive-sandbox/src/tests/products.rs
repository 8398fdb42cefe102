//! Products, their prices and variations, and the value that they give to deals.

use serde_json::{Value, json};

use super::{assert_refused, create, get, get_data, list_ids, sandbox, send, send_ok};

#[test]
fn creates_reads_changes_and_deletes_a_product() {
    let sandbox = sandbox();
    let product = create(&sandbox, "/api/v2/products", json!({ "name": "Zeppelin", "code": "77", "category": 2 }));
    let id = product["id"].as_u64().expect("a product has an id");
    let path = format!("/api/v2/products/{id}");
    let free = json!([{ "product_id": id, "price": 0, "currency": "EUR", "cost": 0, "direct_cost": null, "notes": "" }]);
    assert_eq!(product["prices"], free, "a product without prices should cost 0 in the user's currency");
    assert_eq!((&product["owner_id"], &product["category"], &product["is_linkable"]), (&json!(1), &json!("2"), &json!(true)));
    let prices = json!([{ "price": 10, "currency": "USD", "cost": 4 }, { "price": 9.5, "currency": "EUR", "notes": "net" }]);
    let priced = send_ok(&sandbox, "PATCH", &path, json!({ "prices": prices }));
    assert_eq!((priced["prices"][0]["product_id"].as_u64(), &priced["prices"][1]["notes"]), (Some(id), &json!("net")));
    let replaced = send_ok(&sandbox, "PATCH", &path, json!({ "prices": [{ "price": 8, "currency": "GBP" }], "tax": 5 }));
    assert_eq!(replaced["prices"].as_array().map(Vec::len), Some(1), "new prices should replace all old ones");
    assert_eq!(get_data(&sandbox, &path), replaced);

    assert_eq!(list_ids(&get_data(&sandbox, &format!("/api/v2/products?ids={id},9999"))), [id]);
    assert_eq!(list_ids(&get_data(&sandbox, "/api/v2/products?updated_since=2026-11-22T12:00:00Z")), [id]);
    assert_eq!(list_ids(&get_data(&sandbox, "/api/v2/products?sort_by=name&sort_direction=desc&limit=1")), [id]);
    let found = get_data(&sandbox, "/api/v2/products/search?term=zeppelin&include_fields=product.price");
    assert_eq!((&found["items"][0]["item"]["id"], &found["items"][0]["item"]["code"]), (&json!(id), &json!(77)));
    let by_piece = get_data(&sandbox, "/v1/filters?type=products")[0]["id"].clone();
    let by_piece = get_data(&sandbox, &format!("/api/v2/products?filter_id={by_piece}"));
    assert!(!list_ids(&by_piece).is_empty() && by_piece.as_array().is_some_and(|all| all.iter().all(|p| p["unit"] == "piece")));

    for (body, part) in [
        (json!({ "name": " " }), "name: is required"),
        (json!({ "name": "x", "billing_frequency": "weekly" }), "billing_frequency_cycles: is required"),
        (json!({ "name": "x", "billing_frequency_cycles": 2 }), "billing_frequency_cycles: must be null"),
        (json!({ "name": "x", "billing_frequency": "monthly", "billing_frequency_cycles": 209 }), "must be between 1 and 208"),
        (json!({ "name": "x", "category": 9 }), "category: 9 is not an option"),
        (json!({ "name": "x", "tax": -1 }), "tax: must not be negative"),
        (json!({ "name": "x", "owner_id": 99 }), "owner_id: 99 does not exist"),
        (json!({ "name": "x", "prices": [{ "price": 1 }] }), "prices: each must have a price and a currency"),
        (json!({ "name": "x", "prices": [{ "price": 1, "currency": "EUR" }, { "price": 2, "currency": "EUR" }] }), "one price for each"),
        (json!({ "name": "x", "prices": [{ "price": 1, "currency": "EUR", "vat": 3 }] }), "vat is unknown"),
    ] {
        assert_refused(&send(&sandbox, "POST", "/api/v2/products", body), 400, part);
    }
    assert_eq!(send_ok(&sandbox, "DELETE", &path, json!({})), json!({ "id": id }));
    assert!(!list_ids(&get_data(&sandbox, "/api/v2/products?limit=500")).contains(&id));
    assert_refused(&send(&sandbox, "PATCH", &path, json!({ "name": "x" })), 404, "Product not found");
    assert_refused(&get(&sandbox, "/api/v2/products/9999"), 404, "Product not found");
}

#[test]
fn copies_variations_with_their_product() {
    let sandbox = sandbox();
    let path = "/api/v2/products/1/variations";
    let variation = create(&sandbox, path, json!({ "name": "Blue", "prices": [{ "price": 3, "currency": "EUR" }] }));
    assert_eq!((&variation["product_id"], &variation["prices"][0]["product_variation_id"]), (&json!(1), &variation["id"]));
    let own = format!("{path}/{}", variation["id"]);
    assert_eq!(send_ok(&sandbox, "PATCH", &own, json!({ "name": "Green" }))["name"], "Green");
    assert_eq!(list_ids(&get_data(&sandbox, path)), list_ids(&json!([variation])));
    assert_refused(
        &send(&sandbox, "PATCH", &format!("/api/v2/products/2/variations/{}", variation["id"]), json!({ "name": "x" })),
        404,
        "variation",
    );
    assert_refused(&get(&sandbox, "/api/v2/products/9999/variations"), 404, "Product not found");

    let copy = create(&sandbox, "/api/v2/products/1/duplicate", json!({}));
    assert_eq!((&copy["name"], &copy["prices"][0]["product_id"]), (&json!("Website"), &copy["id"]));
    let copied = get_data(&sandbox, &format!("/api/v2/products/{}/variations", copy["id"]));
    assert!(copied[0]["name"] == "Green" && copied[0]["id"] != variation["id"], "a copy should have its own variations: {copied}");
    assert_eq!(send_ok(&sandbox, "DELETE", &own, json!({}))["id"], variation["id"]);
    assert_eq!(get_data(&sandbox, path), json!([]));
    assert_refused(&send(&sandbox, "POST", "/api/v2/products/9999/duplicate", json!({})), 404, "Product not found");
}

#[test]
fn attached_products_set_the_value_of_a_deal() {
    let sandbox = sandbox();
    let deal = send_ok(&sandbox, "POST", "/api/v2/deals", json!({ "title": "x", "currency": "USD", "value": 5 }))["id"].clone();
    let (deal, path) = (format!("/api/v2/deals/{deal}"), format!("/api/v2/deals/{deal}/products"));
    let value = || get_data(&sandbox, &deal)["value"].as_f64();
    let row = create(&sandbox, &path, json!({ "product_id": 1, "item_price": 100, "quantity": 2, "discount": 10, "tax": 20 }));
    assert_eq!((&row["sum"], &row["name"], &row["currency"]), (&json!(180), &json!("Website"), &json!("USD")));
    assert_eq!((&row["tax_method"], &row["comments"], &row["order_nr"]), (&json!("none"), &json!(""), &json!(1)));
    let own = format!("{path}/{}", row["id"]);
    let patch_sum = |body: Value| send_ok(&sandbox, "PATCH", &own, body)["sum"].as_f64();
    assert_eq!(patch_sum(json!({ "tax_method": "exclusive" })), Some(216.0), "an exclusive tax should be added to the price");
    assert_eq!(patch_sum(json!({ "tax_method": "inclusive" })), Some(180.0), "an inclusive tax should not be added to the price");
    assert_eq!(patch_sum(json!({ "discount": 30, "discount_type": "amount" })), Some(170.0));
    assert_eq!(value(), Some(170.0));

    let monthly = json!({ "product_id": 3, "item_price": 10, "quantity": 1, "billing_frequency": "monthly" });
    let mut limited = monthly.clone();
    limited["billing_frequency_cycles"] = json!(24);
    let recurring = create(&sandbox, &format!("{path}/bulk"), json!({ "data": [monthly, limited] }));
    assert_eq!(
        (&recurring[0]["sum"], &recurring[1]["sum"]),
        (&json!(120), &json!(240)),
        "without a number of cycles, the sum should be that of a year"
    );
    assert_eq!(recurring[0]["tax_method"], "inclusive", "a new row should get the tax method of the deal's other rows");
    let worth = get_data(&sandbox, &deal);
    assert_eq!((&worth["value"], &worth["arr"], &worth["mrr"], &worth["acv"]), (&json!(530), &json!(240), &json!(20), &json!(410)));
    assert_eq!(get_data(&sandbox, &format!("{deal}?include_fields=products_count"))["products_count"], 3);
    send_ok(&sandbox, "PATCH", &format!("{path}/{}", recurring[1]["id"]), json!({ "is_enabled": false, "tax_method": "none" }));
    assert_eq!(value(), Some(290.0), "a disabled row should not count");
    assert_eq!(get_data(&sandbox, &path)[0]["tax_method"], "none", "all rows of a deal should have the same tax method");

    let listed =
        get_data(&sandbox, &format!("/api/v2/deals/products?deal_ids=1,{}&sort_by=order_nr", deal.trim_start_matches("/api/v2/deals/")));
    assert_eq!(listed.as_array().map(Vec::len), Some(5));
    assert_eq!(send_ok(&sandbox, "DELETE", &own, json!({})), json!({ "id": row["id"] }));
    assert_eq!(value(), Some(120.0));
    let (_, deleted) = send(&sandbox, "DELETE", &path, json!({}));
    assert_eq!(
        (&deleted["data"]["ids"], &deleted["additional_data"]),
        (&json!(list_ids(&recurring)), &json!({ "more_items_in_collection": false }))
    );
    let emptied = get_data(&sandbox, &deal);
    assert_eq!((&emptied["value"], &emptied["acv"]), (&json!(0), &Value::Null));
}

#[test]
fn rejects_invalid_attachments() {
    let sandbox = sandbox();
    let path = "/api/v2/deals/1/products";
    let of = |extra: Value| {
        let mut body = json!({ "product_id": 1, "item_price": 1, "quantity": 1 });
        for (name, value) in extra.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        body
    };
    send_ok(&sandbox, "PATCH", "/api/v2/products/2", json!({ "is_linkable": false }));
    for (body, part) in [
        (json!({ "product_id": 1, "quantity": 1 }), "item_price: is required"),
        (of(json!({ "product_id": 99 })), "product_id: 99 does not exist"),
        (of(json!({ "product_id": 2 })), "cannot be added to deals"),
        (of(json!({ "product_variation_id": 1 })), "belongs to another product"),
        (of(json!({ "quantity": -1 })), "quantity: must not be negative"),
        (of(json!({ "discount": 101 })), "at most 100 percent"),
        (of(json!({ "billing_frequency": "weekly" })), "billing_frequency_cycles: is required"),
        (of(json!({ "billing_start_date": "2046-01-01" })), "within ten years"),
        (of(json!({ "tax_method": "vat" })), "tax_method: must be one of"),
    ] {
        assert_refused(&send(&sandbox, "POST", path, body.clone()), 400, part);
        assert_refused(&send(&sandbox, "POST", &format!("{path}/bulk"), json!({ "data": [of(json!({})), body] })), 400, "");
    }
    assert_eq!(get_data(&sandbox, path).as_array().map(Vec::len), Some(2), "a bulk addition should add all rows or none");
    assert_refused(&send(&sandbox, "PATCH", "/api/v2/deals/2/products/1", json!({ "quantity": 2 })), 404, "Deal product not found");
    assert_refused(&send(&sandbox, "POST", "/api/v2/deals/9999/products", of(json!({}))), 404, "Deal not found");
    assert_refused(&get(&sandbox, "/api/v2/deals/products"), 400, "deal_ids: is required");
    assert_refused(&get(&sandbox, "/api/v2/deals/products?deal_ids=a"), 400, "deal_ids: must be integers");
}

#[test]
fn finds_products_by_deal_and_person() {
    let sandbox = sandbox();
    let deals = get_data(&sandbox, "/v1/products/1/deals");
    assert!(
        list_ids(&deals).contains(&1) && deals[0]["user_id"]["value"].is_u64(),
        "the first deal should have the first product: {deals}"
    );
    let open = get_data(&sandbox, "/v1/products/1/deals?status=open");
    assert!(open.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(|deal| deal["status"] == "open")));
    let (_, answer) = get(&sandbox, "/v1/persons/1/products?limit=1");
    let pair = answer["data"][0].as_object().and_then(|pairs| pairs.iter().next()).expect("the first person has products");
    assert_eq!((pair.0, &pair.1["product"]["deal_id"]), (&pair.1["deal"]["id"].to_string(), &pair.1["deal"]["id"]));
    assert_eq!(answer["additional_data"]["pagination"]["limit"], 1);
    assert_refused(&get(&sandbox, "/v1/persons/9999/products"), 404, "Person not found");
    assert_refused(&get(&sandbox, "/v1/products/9999/deals"), 404, "Product not found");
}

#[test]
fn value_from_products_is_logged_and_merged() {
    let sandbox = sandbox();
    let make = |title: &str| -> Value {
        let deal = send_ok(&sandbox, "POST", "/api/v2/deals", json!({ "title": title }))["id"].clone();
        create(&sandbox, &format!("/api/v2/deals/{deal}/products"), json!({ "product_id": 1, "item_price": 10, "quantity": 1 }));
        deal
    };
    let (from, into) = (make("from"), make("into"));
    let log = get_data(&sandbox, &format!("/v1/deals/{into}/changelog"));
    let value = log.as_array().into_iter().flatten().find(|entry| entry["field_key"] == "value");
    assert!(value.is_some_and(|entry| entry["new_value"] == "10"), "the log should have the value that the product gives its deal: {log}");
    let merged = send_ok(&sandbox, "PUT", &format!("/v1/deals/{from}/merge"), json!({ "merge_with_id": into }));
    assert_eq!(merged["value"], 20, "the survivor should have the value of both deals' products");
    assert_eq!(get_data(&sandbox, &format!("/api/v2/deals/{into}?include_fields=products_count"))["products_count"], 2);
}
