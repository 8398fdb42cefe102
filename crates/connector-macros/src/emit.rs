//! A declaration to statics: data and function pointers, no logic.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use crate::parse::{Action, DataSource, Group, IN_GROUP, Input, Record, Shape};

pub(crate) fn action(action: &Action) -> TokenStream {
    let Action { key, scopes, rules, .. } = action;
    let (label, description) = (&action.doc.first, &action.doc.rest);
    let name = &action.item.ident;
    let endpoint = action.endpoint.as_ref().map_or_else(
        || quote!(None),
        |endpoint| {
            let method = format_ident!("{}", capital(&endpoint.method.to_string()));
            let path = &endpoint.path;
            quote!(Some(::connector_core::Endpoint { method: ::connector_core::Method::#method, path: #path }))
        },
    );
    let cost = option(action.cost.as_ref());
    let idempotent = option(action.idempotent.as_ref());
    let destructive = action.destructive;
    let removed = option(action.removed.as_ref());
    let returns = action.returns.as_ref().map_or_else(|| quote!(::connector_core::Json), |ty| quote!(#ty));
    let like = option(action.like.as_ref().map(|ty| quote!(<#ty as ::connector_core::Declares>::declaration)).as_ref());
    let method = action.endpoint.as_ref().map(|endpoint| endpoint.method.to_string());
    let use_of_groups = match method.as_deref() {
        Some("post") => quote!(ADD),
        Some("put" | "patch") => quote!(UPDATE),
        _ => quote!(QUERY),
    };
    let with = action.with.iter().map(|ty| quote_spanned!(ty.span()=> <#ty as ::connector_core::Inputs>::#use_of_groups));
    let without = action.without.iter().map(|(name, why)| quote!((#name, #why)));
    let fields = action.inputs.iter().map(|input| field(input, input.place, &input.doc));
    let paths = action.inputs.iter().filter(|input| input.place == "Path").map(|input| {
        let ty = &input.ty;
        let complaint = format!("`{}` stands in the path and is always given: take the Option off", input.wire);
        quote_spanned!(ty.span()=> const _: () = ::core::assert!(<#ty as ::connector_core::FieldType>::REQUIRED, #complaint);)
    });
    let plain = || {
        let item = &action.item;
        quote!(#[allow(dead_code)] #item)
    };
    let (item, kind, code) = match &action.by_hand {
        Some(function) => (plain(), quote!(::connector_core::Coded), quote!(, #function)),
        None if action.endpoint.is_some() || action.removed.is_some() => (plain(), quote!(::connector_core::Declared), quote!()),
        None => (readable(action), quote!(::connector_core::ByHand::<#name>), quote!()),
    };
    quote! {
        #item
        const _: () = {
            #(#paths)*
            static DECLARATION: ::connector_core::Declaration = ::connector_core::Declaration {
                key: #key,
                label: #label,
                description: #description,
                module: ::core::module_path!(),
                line: ::core::concat!(::core::file!(), ":", ::core::line!()),
                connector: &crate::CONNECTOR,
                endpoint: #endpoint,
                scopes: &[#(#scopes),*],
                cost: #cost,
                idempotent: #idempotent,
                destructive: #destructive,
                removed: #removed,
                rules: &[#(::connector_core::Rule::#rules),*],
                own: &[#(#fields),*],
                with: &[#(#with),*],
                like: #like,
                without: &[#(#without),*],
                returns: ::connector_core::FieldShape::of::<#returns>(),
            };
            impl ::connector_core::Declares for #name {
                fn declaration() -> &'static ::connector_core::Declaration {
                    &DECLARATION
                }
            }
            static ACTION: #kind = <#kind>::new(&DECLARATION #code);
            ::connector_core::__private::inventory::submit! { ::connector_core::Registered::Action(&ACTION) }
        };
    }
}

pub(crate) fn group(group: &Group) -> TokenStream {
    let Group { item, inputs } = group;
    let name = &item.ident;
    let (generics, arguments, bounds) = item.generics.split_for_impl();
    let placed = |input: &Input, place: &'static str| if input.place == IN_GROUP { place } else { input.place };
    let query = inputs.iter().map(|input| field(input, placed(input, "Query"), &input.doc));
    let add = inputs.iter().map(|input| field(input, placed(input, "Body"), &input.doc));
    let update = inputs.iter().map(|input| field(input, placed(input, "Body"), &input.doc_of_update));
    quote! {
        #[allow(dead_code)]
        #item
        impl #generics ::connector_core::Inputs for #name #arguments #bounds {
            const QUERY: &'static [::connector_core::Field] = &[#(#query),*];
            const ADD: &'static [::connector_core::Field] = &[#(#add),*];
            const UPDATE: &'static [::connector_core::Field] = &[#(#update),*];
        }
    }
}

/// A struct by hand is read by serde, in camelCase; null and absent are kept apart where the type says so.
fn readable(action: &Action) -> TokenStream {
    let mut item = action.item.clone();
    if let syn::Data::Struct(data) = &mut item.data {
        for (field, input) in data.fields.iter_mut().zip(&action.inputs) {
            if input.three_states {
                field.attrs.push(syn::parse_quote!(#[serde(default, deserialize_with = "::connector_core::__private::present")]));
            } else if input.optional {
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

fn field(input: &Input, place: &str, doc: &str) -> TokenStream {
    let Input { name, wire, ty, overrides, .. } = input;
    let place = Ident::new(place, Span::call_site());
    let source = input
        .source
        .as_ref()
        .map_or_else(|| quote!(None), |source| quote_spanned!(source.span()=> Some(<#source as ::connector_core::Picklist>::KEY)));
    quote_spanned! {ty.span()=>
        ::connector_core::Field {
            name: #name,
            wire: #wire,
            place: ::connector_core::Place::#place,
            doc: #doc,
            source: #source,
            overrides: &[#(#overrides),*],
            shape: ::connector_core::FieldShape::of::<#ty>(),
        }
    }
}

pub(crate) fn data_source(source: &DataSource) -> TokenStream {
    let DataSource { item, key, list, search, label: text, .. } = source;
    let (label, description) = (&source.doc.first, &source.doc.rest);
    let name = &item.ident;
    quote! {
        #item
        impl ::connector_core::Picklist for #name {
            const KEY: &'static str = #key;
        }
        const _: () = {
            static SOURCE: ::connector_core::DeclaredSource = ::connector_core::DeclaredSource {
                key: #key,
                label: #label,
                description: #description,
                line: ::core::concat!(::core::file!(), ":", ::core::line!()),
                connector: &crate::CONNECTOR,
                list: <#list as ::connector_core::Declares>::declaration,
                search: <#search as ::connector_core::Declares>::declaration,
                choice: #text,
            };
            ::connector_core::__private::inventory::submit! { ::connector_core::Registered::DataSource(&SOURCE) }
        };
    }
}

pub(crate) fn record(record: &Record) -> TokenStream {
    let Record { item, doc, is_open, shape } = record;
    let name = &item.ident;
    let text = name.to_string();
    let body = match shape {
        Shape::Members(members) => {
            let members = members.iter().map(|(wire, doc, ty)| {
                quote_spanned!(ty.span()=> ::connector_core::Member { name: #wire, doc: #doc, shape: ::connector_core::FieldShape::of::<#ty>() })
            });
            let function = if *is_open { quote!(open_record) } else { quote!(record) };
            quote!(schemas.#function(#text, #doc, &[#(#members),*]))
        }
        Shape::Values(values) => {
            let values = values.iter().map(|value| match value {
                syn::Lit::Int(number) => quote!(::connector_core::Closed::Number(#number)),
                other => quote!(::connector_core::Closed::Text(#other)),
            });
            quote!(schemas.closed(&[#(#values),*]))
        }
    };
    quote! {
        #[allow(dead_code)]
        #item
        // A complaint about another type would list a handful of a hundred records.
        #[diagnostic::do_not_recommend]
        impl ::connector_core::FieldType for #name {
            fn schema(schemas: &mut ::connector_core::Schemas) -> ::connector_core::__private::Value {
                #body
            }
        }
    }
}

fn option(value: Option<&impl quote::ToTokens>) -> TokenStream {
    value.map_or_else(|| quote!(None), |value| quote!(Some(#value)))
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
