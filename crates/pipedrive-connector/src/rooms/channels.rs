//! Channels and their conversations, which Pipedrive removed on 2026-02-01.

use connector_core::action;

/// Add Channel
///
/// Add a channel
#[action(removed("Pipedrive ended messaging channels on 2026-02-01, and nothing replaces them: leave the step out."))]
struct AddChannel;

/// Delete Channel
///
/// Delete a channel
#[action(removed("Pipedrive ended messaging channels on 2026-02-01, and none is left to delete: leave the step out."))]
struct DeleteChannel;

/// Delete Conversation
///
/// Delete a conversation
#[action(removed(
    "Pipedrive ended messaging channels on 2026-02-01 and kept conversations as notes: rawRequest DELETE /api/v1/notes/{id} deletes one."
))]
struct DeleteConversation;
