//! The block is empty.

use kiff::domain;

domain! {}

fn main() {}

// why: The smallest domain has every section but `services` and `never`.
//
// right:
//     domain! {
//         pub domain Support governs Ticket;
//         roles { Agent: agent, Customer: external }
//         states { Open, final Closed }
//         events { TicketOpened reported by Customer; TicketClosed; }
//         transitions { TicketOpened: new => Open; TicketClosed: Open => Closed; }
//         actions { Close { risk: low, by: Agent, emits: TicketClosed }; }
//         allow { Open => [Close]; }
//     }
//
//     #[kiff::action(Support::Close)]
//     async fn close() -> Result<TicketClosed, kiff::Failure> {
//         Ok(TicketClosed)
//     }
