//! Support tickets: who may do what, what needs a human, and the desk that answers and pays.

use std::sync::Mutex;

use kiff::{Cents, Execution, Failure, action, domain};

domain! {
    /// Support tickets: an agent answers them, and pays back only what a person has signed off.
    pub domain Support governs Ticket;
    services Desk;                             // what executors may touch: clients, credentials

    roles { Agent: agent, Operator: human, Inbox: system }

    states { Open, Answered, final Refunded }

    events {
        TicketOpened   { subject: String } reported by Inbox;    // a fact from outside, and who may report it
        TicketAnswered { answer: String };                       // only an action can make it happen
        TicketRefunded { amount: Cents, reason: String };
    }

    transitions {
        TicketOpened:   new             => Open;
        TicketAnswered: Open            => Answered;
        TicketRefunded: Open | Answered => Refunded;
    }

    actions {
        AnswerTicket { risk: low,  by: Agent, emits: TicketAnswered };
        RefundTicket { risk: high, by: Agent, emits: TicketRefunded, approval: Operator };
    }

    allow {
        Open     => [AnswerTicket, RefundTicket];
        Answered => [RefundTicket];
    }

    never {
        Refunded without Operator;
        Agent alone from Open to Refunded;
    }
}

/// Answers the customer.
#[action(Support::AnswerTicket)]
async fn answer_ticket(
    desk: &Desk,
    execution: &Execution,
    /// What the customer reads.
    #[param(length(min = 1, max = 2000))]
    answer: String,
) -> Result<TicketAnswered, Failure> {
    desk.send(execution.entity().id(), &answer)?;
    Ok(TicketAnswered { answer })
}

/// Pays the customer back.
#[action(Support::RefundTicket)]
async fn refund_ticket(
    desk: &Desk,
    execution: &Execution,
    /// How much, in the smallest unit of the currency: 4900 is 49.00.
    #[param(range(min = 1, max = 100_000))]
    amount: Cents,
    /// Why, for whoever has to sign it off.
    #[param(length(min = 1, max = 500))]
    reason: String,
) -> Result<TicketRefunded, Failure> {
    // The execution's id is the idempotency key for the outside world: the same one twice pays once.
    desk.pay_back(execution.id().as_str(), amount)?;
    Ok(TicketRefunded { amount, reason })
}

/// What the executors touch. This one only remembers; put your mail client and your payment provider here.
///
/// A method that fails says which kind of failure it is: `Failure::refused` when nothing happened, `Failure::unknown` when it
/// may have happened all the same.
#[derive(Debug, Default)]
pub struct Desk {
    sent: Mutex<Vec<String>>,
    paid: Mutex<Vec<Cents>>,
}

impl Desk {
    /// Each amount that was paid back.
    pub fn paid_back(&self) -> Vec<Cents> {
        self.paid.lock().map(|paid| paid.clone()).unwrap_or_default()
    }

    fn send(&self, ticket: &str, answer: &str) -> Result<(), Failure> {
        let mut sent = self.sent.lock().map_err(|_| Failure::refused("the desk is out of order"))?;
        sent.push(format!("{ticket}: {answer}"));
        Ok(())
    }

    fn pay_back(&self, _idempotency_key: &str, amount: Cents) -> Result<(), Failure> {
        let mut paid = self.paid.lock().map_err(|_| Failure::refused("the desk is out of order"))?;
        paid.push(amount);
        Ok(())
    }
}
