//! Writes a declaration as statics: data and function pointers, no logic.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use crate::parse::{
    Action, Change, DataSource, Derivation, Endpoint, Finding, FoundIn, Given, Group, Input, Member, Origin, PATH, Record, Shape, Source,
    Upsert, WireName, Words,
};

pub(crate) fn emit_action(action: &Action) -> TokenStream {
    let Action { key, words, inputs, .. } = action;
    let (label, description) = (&action.doc.first, &action.doc.rest);
    let name = &action.item.ident;
    let method = words.endpoint.as_ref().map(|Endpoint { method, .. }| {
        let method = format_ident!("{}", capitalize(&method.to_string()));
        quote!(::connector_core::__private::Method::#method)
    });
    let parts = emit_parts(words, method.as_ref());
    let method = emit_option(method.as_ref());
    let returns = words.returns.as_ref().map_or_else(|| quote!(::connector_core::__private::Json), |ty| quote!(#ty));
    let place = match &words.upsert {
        // Its inputs travel in the bodies of the two actions.
        Some(_) => quote!(::connector_core::__private::Place::Body),
        None => quote!(::connector_core::__private::Place::from_method(#method)),
    };
    let fields = inputs.iter().map(|input| emit_field(input, &place, &input.doc));
    let own = (!inputs.is_empty()).then(|| quote!(.with_inputs(&[#(#fields),*])));
    let paths = inputs.iter().filter(|input| input.place == Some(PATH)).map(|input| {
        let ty = &input.ty;
        let message = format!("`{}` stands in the path and is required: take the Option off", input.wire.snake);
        quote_spanned!(ty.span()=> const _: () = ::core::assert!(<#ty as ::connector_core::__private::FieldType>::REQUIRED, #message);)
    });
    let plain = || {
        let item = &action.item;
        quote!(#[allow(dead_code)] #item)
    };
    let (item, kind, code) = match &words.by_hand {
        Some(function) => (plain(), quote!(::connector_core::__private::CodedAction), quote!(, #function)),
        None if words.endpoint.is_some() || words.removed.is_some() => {
            (plain(), quote!(::connector_core::__private::DeclaredAction), quote!())
        }
        None if words.upsert.is_some() => (plain(), quote!(::connector_core::__private::UpsertAction), quote!()),
        None => (emit_readable_struct(&action.item, inputs), quote!(::connector_core::__private::HandledAction::<#name>), quote!()),
    };
    quote! {
        #item
        const _: () = {
            #(#paths)*
            static DECLARATION: ::connector_core::__private::Declaration = ::connector_core::__private::Declaration::new(
                #key,
                [#label, #description],
                [::core::module_path!(), ::core::concat!(::core::file!(), ":", ::core::line!())],
                &crate::CONNECTOR,
                ::connector_core::__private::FieldShape::from_type::<#returns>(),
            )
            #own
            #(#parts)*;
            impl ::connector_core::__private::MadeByMacro for #name {}
            impl ::connector_core::__private::Declares for #name {
                fn declaration() -> &'static ::connector_core::__private::Declaration {
                    &DECLARATION
                }
            }
            static ACTION: #kind = <#kind>::new(&DECLARATION #code);
            ::connector_core::__private::inventory::submit! { ::connector_core::__private::Registration::Action(&ACTION) }
        };
    }
}

/// Emits the parts of a declaration that its words set.
fn emit_parts(words: &Words, method: Option<&TokenStream>) -> Vec<TokenStream> {
    let Words { scopes, rules, .. } = words;
    let with = words.with.iter().map(|ty| {
        // A POST that changes a record, and an upsert, take the inputs of a change.
        let method = if words.changes || words.upsert.is_some() {
            quote!(::core::option::Option::Some(::connector_core::__private::Method::Patch))
        } else {
            emit_option(method)
        };
        quote_spanned!(ty.span()=> ::connector_core::__private::choose_inputs::<#ty>(#method))
    });
    let when_flat = words.when_flat.iter().map(|(name, value)| quote!((#name, ::connector_core::__private::InputValue::#value)));
    let without = words.without.iter().map(|(name, why)| quote!((#name, #why)));
    let scopes_all = words.scopes_all.iter().map(|list| quote!(&[#(#list),*]));
    let found_in = words.found_in.as_ref().map(|FoundIn { list, since, created, creator }| {
        let list = quote!(<#list as ::connector_core::__private::Declares>::declaration);
        quote!(.with_list_to_find_in(::connector_core::__private::FoundIn::new(#list, #since, #created, #creator)))
    });
    let upsert = words.upsert.as_ref().map(|Upsert { source, add, update, by }| {
        let declaration = |action: &syn::Expr| quote!(<#action as ::connector_core::__private::Declares>::declaration);
        let (add, update) = (declaration(add), declaration(update));
        let source = quote!(<#source as ::connector_core::__private::Picklist>::KEY);
        quote!(.with_upsert(&::connector_core::__private::Upsert::new(#source, #add, #update, #by)))
    });
    let endpoint = words.endpoint.as_ref().map(|Endpoint { path, .. }| quote!(.with_endpoint(#method, #path)));
    let parts = [
        words.resource.as_ref().map(|resource| quote!(.with_resource(#resource))),
        endpoint,
        (!scopes.is_empty()).then(|| quote!(.with_scopes(&[#(#scopes),*]))),
        (!words.scopes_all.is_empty()).then(|| quote!(.with_scopes_all(&[#(#scopes_all),*]))),
        words.cost.as_ref().map(|cost| quote!(.with_cost(#cost))),
        words.idempotent.as_ref().map(|idempotent| quote!(.with_idempotent(#idempotent))),
        words.reads.then(|| quote!(.mark_as_reading())),
        words.changes.then(|| quote!(.mark_as_changing())),
        words.is_destructive.then(|| quote!(.mark_as_destructive())),
        words.removed.as_ref().map(|instead| quote!(.mark_as_removed(#instead))),
        (!rules.is_empty()).then(|| quote!(.with_rules(&[#(::connector_core::__private::Rule::#rules),*]))),
        (!words.with.is_empty()).then(|| quote!(.with_groups(&[#(#with),*]))),
        words.like.as_ref().map(|ty| quote!(.with_inputs_like(<#ty as ::connector_core::__private::Declares>::declaration))),
        (!words.without.is_empty()).then(|| quote!(.without_inputs(&[#(#without),*]))),
        (!words.when_flat.is_empty()).then(|| quote!(.with_inputs_when_flat(&[#(#when_flat),*]))),
        words.paging.as_ref().map(|paging| quote!(.with_paging(&#paging))),
        words.envelope.as_ref().map(|envelope| quote!(.with_envelope(&#envelope))),
        found_in,
        upsert,
        words.record.as_ref().map(|ty| quote!(.with_record_read_by(<#ty as ::connector_core::__private::Declares>::declaration))),
    ];
    parts.into_iter().flatten().collect()
}

pub(crate) fn emit_group(group: &Group) -> TokenStream {
    let Group { item, inputs } = group;
    let name = &item.ident;
    let (generics, arguments, bounds) = item.generics.split_for_impl();
    let (in_query, in_body) = (quote!(::connector_core::__private::Place::Query), quote!(::connector_core::__private::Place::Body));
    let query = inputs.iter().map(|input| emit_field(input, &in_query, &input.doc));
    let add = inputs.iter().map(|input| emit_field(input, &in_body, &input.doc));
    let update = inputs.iter().map(|input| emit_field(input, &in_body, &input.doc_on_update));
    quote! {
        #[allow(dead_code)]
        #item
        impl #generics ::connector_core::__private::MadeByMacro for #name #arguments #bounds {}
        impl #generics ::connector_core::__private::Inputs for #name #arguments #bounds {
            const QUERY: &'static [::connector_core::__private::Field] = &[#(#query),*];
            const ADD: &'static [::connector_core::__private::Field] = &[#(#add),*];
            const UPDATE: &'static [::connector_core::__private::Field] = &[#(#update),*];
        }
    }
}

/// Derives how serde reads the struct of what is written by hand: in camelCase, and with null apart from absent.
fn emit_readable_struct(item: &syn::DeriveInput, inputs: &[Input]) -> TokenStream {
    let mut item = item.clone();
    if let syn::Data::Struct(data) = &mut item.data {
        for (field, input) in data.fields.iter_mut().zip(inputs) {
            if input.has_three_states {
                field.attrs.push(syn::parse_quote!(#[serde(default, deserialize_with = "::connector_core::__private::present")]));
            } else if input.is_optional {
                field.attrs.push(syn::parse_quote!(#[serde(default)]));
            }
        }
    }
    quote! {
        #[derive(::connector_core::__private::serde::Deserialize)]
        #[serde(crate = "::connector_core::__private::serde", rename_all = "camelCase")]
        #item
    }
}

/// Emits a field that travels in the place it names, else in `otherwise`.
fn emit_field(input: &Input, otherwise: &TokenStream, doc: &str) -> TokenStream {
    let Input { name, wire, ty, overrides, instead_of, time_of, .. } = input;
    let instead_of =
        instead_of.as_ref().map(|names| quote!(.with_instead_of(::connector_core::__private::Rule::at_most_one(&[#(#names),*]))));
    let wire = emit_wire(wire);
    let named =
        input.place.map(|word| format_ident!("{}", capitalize(word))).map(|place| quote!(::connector_core::__private::Place::#place));
    let place = named.as_ref().unwrap_or(otherwise);
    let source = input.source.as_ref().map(emit_source);
    let overrides = (!overrides.is_empty()).then(|| quote!(.with_overrides(&[#(#overrides),*])));
    let time_of = time_of.as_ref().map(|date| quote!(.with_time_of(#date)));
    quote_spanned! {ty.span()=>
        ::connector_core::__private::Field::new(
            #name,
            #wire,
            #place,
            #doc,
            ::connector_core::__private::FieldShape::from_type::<#ty>(),
        )
        #source
        #overrides
        #instead_of
        #time_of
    }
}

fn emit_source(source: &Source) -> TokenStream {
    let Source { ty, given } = source;
    let given = given.iter().map(|(name, given)| match given {
        Given::Input(input) => quote!((#name, ::connector_core::__private::SourceInput::Input(#input))),
        Given::Text(text) => quote!((#name, ::connector_core::__private::SourceInput::Text(#text))),
    });
    quote_spanned!(ty.span()=> .with_source(<#ty as ::connector_core::__private::Picklist>::KEY, <#ty as ::connector_core::__private::Picklist>::ACCEPTS, &[#(#given),*]))
}

pub(crate) fn emit_data_source(source: &DataSource) -> TokenStream {
    let DataSource { item, key, origin, .. } = source;
    let (label, description) = (&source.doc.first, &source.doc.rest);
    let name = &item.ident;
    let own = quote!(::connector_core::__private::Place::Own);
    let accepts = match origin {
        Origin::Actions(derivation) if !derivation.named.is_empty() || derivation.me.is_some() => {
            let words = derivation.named.iter().map(|(word, _)| word.as_str()).chain(derivation.me.as_ref().map(|_| "me"));
            Some(quote!(const ACCEPTS: &'static [&'static str] = &[#(#words),*];))
        }
        _ => None,
    };
    let (item, fields, registered) = match origin {
        Origin::Actions(derivation) => {
            let fields: Vec<_> = derivation.inputs.iter().map(|input| emit_field(input, &own, &input.doc)).collect();
            let derivation = emit_derivation(derivation);
            let kind = quote!(::connector_core::__private::DerivedSource);
            (quote!(#[allow(dead_code)] #item), fields, quote!(#kind = #kind::new(&DECLARATION, #derivation)))
        }
        Origin::Code(inputs) => {
            let kind = quote!(::connector_core::__private::HandledSource::<#name>);
            let fields = inputs.iter().map(|input| emit_field(input, &own, &input.doc)).collect();
            (emit_readable_struct(item, inputs), fields, quote!(#kind = <#kind>::new(&DECLARATION)))
        }
    };
    quote! {
        #item
        impl ::connector_core::__private::MadeByMacro for #name {}
        impl ::connector_core::__private::Picklist for #name {
            const KEY: &'static str = #key;
            #accepts
        }
        const _: () = {
            static DECLARATION: ::connector_core::__private::SourceDeclaration = ::connector_core::__private::SourceDeclaration::new(
                #key,
                [#label, #description],
                ::core::concat!(::core::file!(), ":", ::core::line!()),
                &crate::CONNECTOR,
                &[#(#fields),*],
            );
            static SOURCE: #registered;
            ::connector_core::__private::inventory::submit! { ::connector_core::__private::Registration::DataSource(&SOURCE) }
        };
    }
}

fn emit_derivation(derivation: &Derivation) -> TokenStream {
    let Derivation { list, search, term, value, text, given, finding, within, only, except, sorted, named, me, read, exact, inputs: _ } =
        derivation;
    let declaration = |ty: &syn::Type| quote_spanned!(ty.span()=> <#ty as ::connector_core::__private::Declares>::declaration);
    let list = declaration(list);
    let pairs = |pairs: &[(String, String)]| {
        let pairs = pairs.iter().map(|(one, other)| quote!((#one, #other)));
        quote!(&[#(#pairs),*])
    };
    let (only, except, named) = (pairs(only), pairs(except), pairs(named));
    let parts = [
        search.as_ref().map(declaration).map(|search| quote!(.with_search(#search, #term))),
        (*finding == Finding::InPages).then(|| quote!(.with_finding(::connector_core::__private::Finding::InPages))),
        (*finding == Finding::InKeptList).then(|| quote!(.with_finding(::connector_core::__private::Finding::InKeptList))),
        given.as_ref().map(|given| quote_spanned!(given.span()=> .with_inputs_given(#given))),
        within.as_ref().map(|member| quote!(.with_parts_within(#member))),
        (!derivation.only.is_empty()).then(|| quote!(.with_members(#only))),
        (!derivation.except.is_empty()).then(|| quote!(.without_members(#except))),
        (!sorted.is_empty()).then(|| quote!(.with_order(&[#(#sorted),*]))),
        (!derivation.named.is_empty()).then(|| quote!(.with_names(#named))),
        me.as_ref().map(|member| quote!(.with_me(#member))),
        read.as_ref().map(declaration).map(|read| quote!(.with_read(#read))),
        exact.as_ref().map(|input| quote!(.with_exact(#input))),
    ];
    let parts = parts.into_iter().flatten();
    quote!(::connector_core::__private::Derivation::new(#list, #value, #text)#(#parts)*)
}

pub(crate) fn emit_record(record: &Record) -> TokenStream {
    let Record { item, doc, is_open, shape } = record;
    let name = &item.ident;
    let text = name.to_string();
    let (generics, arguments, bounds) = item.generics.split_for_impl();
    let body = match shape {
        Shape::Members(members) => {
            let members = members.iter().map(emit_member);
            let members = quote!(&[#(#members),*]);
            // A record with type parameters has a shape for each of their types, and so no name in `$defs`.
            match (item.generics.params.is_empty(), is_open) {
                (false, _) => quote!(schemas.object(#doc, #members)),
                (true, true) => quote!(schemas.open_record::<Self>(::core::module_path!(), #text, #doc, #members)),
                (true, false) => quote!(schemas.record::<Self>(::core::module_path!(), #text, #doc, #members)),
            }
        }
        Shape::Values(values) => {
            let values = values.iter().map(|value| match value {
                syn::Lit::Int(number) => quote!(::connector_core::__private::ClosedValue::Number(#number)),
                other => quote!(::connector_core::__private::ClosedValue::Text(#other)),
            });
            quote!(schemas.closed(&[#(#values),*]))
        }
    };
    quote! {
        #[allow(dead_code)]
        #item
        // Without this, an error about a type that is no `FieldType` would list some of the hundred records.
        #[diagnostic::do_not_recommend]
        impl #generics ::connector_core::__private::FieldType for #name #arguments #bounds {
            fn schema(schemas: &mut ::connector_core::__private::Schemas) -> ::connector_core::__private::Value {
                #body
            }
        }
    }
}

fn emit_member(member: &Member) -> TokenStream {
    let Member { wire, doc, ty, flat_name, change } = member;
    let flat = match (flat_name, change) {
        (None, Change::None) => quote!(::connector_core::__private::Flat::PLAIN),
        _ => {
            let name = emit_option(flat_name.as_ref());
            let change = match change {
                Change::None => quote!(None),
                Change::Not => quote!(Not),
                Change::Flag => quote!(Flag),
                Change::Primary(name) => quote!(Primary(#name)),
                Change::Id(name) => quote!(Id(#name)),
                Change::Parts => quote!(Parts),
                Change::Null => quote!(Null),
            };
            quote!(::connector_core::__private::Flat { name: #name, change: ::connector_core::__private::Change::#change })
        }
    };
    let wire = emit_wire(wire);
    quote_spanned! {ty.span()=>
        ::connector_core::__private::Member { name: #wire, doc: #doc, shape: ::connector_core::__private::FieldShape::from_type::<#ty>(), flat: #flat }
    }
}

/// Emits a name on the wire. Where the spellings differ, the connector chooses while the statics are compiled.
fn emit_wire(name: &WireName) -> TokenStream {
    let WireName { snake, camel } = name;
    if snake == camel { quote!(#snake) } else { quote!(crate::CONNECTOR.case.choose(#snake, #camel)) }
}

fn emit_option(value: Option<&impl quote::ToTokens>) -> TokenStream {
    value.map_or_else(|| quote!(None), |value| quote!(Some(#value)))
}

fn capitalize(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
