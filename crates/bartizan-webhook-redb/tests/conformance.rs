//! What every inbox has to pass.

#![allow(missing_docs)]

mod folder;

use bartizan_webhook_redb::RedbInbox;
use folder::Folder;

/// One whose file is gone from its folder as soon as it is open, so that nothing stays.
fn unlinked() -> RedbInbox {
    let folder = Folder::new();
    RedbInbox::open(folder.file()).expect("the folder is empty")
}

bartizan_webhook::inbox_conformance!(unlinked(), 10);
