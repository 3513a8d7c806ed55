//! The HTTP face over a real socket: every route, status and envelope, and what hostile clients come with.

mod asking;
mod bodies;
mod by_hand;
mod card;
mod contract;
mod cost;
mod description;
mod door;
mod floods;
mod forms;
mod headers;
mod hidden;
mod identity;
mod limits;
mod lists;
mod names;
mod namesakes;
mod origin;
mod page;
mod receipt;
mod room;
mod search;
pub(crate) mod server;
mod size;
mod sorry;
mod stream;
mod typos;
