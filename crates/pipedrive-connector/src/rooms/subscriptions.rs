//! Subscriptions, which Pipedrive removed on 2025-06-27: a deal's products carry the billing frequency.

use connector_core::action;

/// Cancel Recurring Subscription
///
/// Cancel a recurring subscription
#[action(removed("The products of a deal now carry how often they are billed: end one by updateDealProduct with billingFrequencyCycles."))]
struct CancelRecurringSubscription;

/// Delete Subscription
///
/// Delete a subscription
#[action(removed("The products of a deal now carry how often they are billed: take one off by deleteDealProduct."))]
struct DeleteSubscription;

/// Find Subscription By Deal
///
/// Find subscription by deal
#[action(removed(
    "getDealProducts gives a deal's products and how often they are billed; rawRequest GET /api/v2/deals/installments its instalments."
))]
struct FindSubscriptionByDeal;

/// Get Subscription
///
/// Get details of a subscription
#[action(removed("There are no subscriptions any more: getDealProducts gives a deal's products and how often they are billed."))]
struct GetSubscription;

/// Get Subscription Payments
///
/// Get all payments of a subscription
#[action(removed("Payments are now the instalments of a deal: rawRequest GET /api/v2/deals/installments with the query deal_ids."))]
struct GetSubscriptionPayments;
