//! The refund counter: each proposal goes through the gate, each held one to a human, and all of it is told.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::path::Path;

use kiff::{
    Actor, ActorId, Adapter, Approval, ApprovalStatus, Bounds, Call, Cents, Domain, EntityKey, IdempotencyKey, Mapping,
    MemoryStore, Outcome, Proposal, Propose, RawEvent, RolePolicy, Runtime, SqliteStore, State, Store, Verdict,
};
use serde::Deserialize;

use crate::domain::{Refund, RefundDesk, RefundOrder, RefundRole};
use crate::lines::{Line, Unreadable};
use crate::report::{self, Answer, ShortIdentifiers};
use crate::tool_call::{self, Fault, ToolCall};
use crate::{LINE, reviewer};

type Told = Result<(), Box<dyn Error>>;

/// What the web shop has sold before the agent comes to work, as the shop writes it.
const ORDERS: &str = include_str!("orders.jsonl");

/// A runtime, who comes to it, and where it is told what became of them.
pub struct Counter<'o, S: Store> {
    runtime: Runtime<Refund, S>,
    orders: Vec<EntityKey>,
    shop: Actor,
    agent: Actor,
    nora: Actor,
    out: &'o mut dyn Write,
    tally: BTreeMap<&'static str, u64>,
}

/// Who may do what.
fn policy() -> Result<RolePolicy, Box<dyn Error>> {
    Ok(RolePolicy::new()
        .assign(ActorId::new("shop")?, RefundRole::System)
        .assign(ActorId::new("agent-7")?, RefundRole::Agent)
        .assign(ActorId::new("nora")?, RefundRole::Operator))
}

impl<'o> Counter<'o, MemoryStore> {
    /// Opens the counter and takes in the orders.
    pub async fn open(out: &'o mut dyn Write) -> Result<Self, Box<dyn Error>> {
        let runtime = Runtime::new(MemoryStore::new(), policy()?, RefundDesk::default());
        Self::with(runtime.with_identifiers(ShortIdentifiers::default()), out).await
    }
}

impl<'o> Counter<'o, SqliteStore> {
    /// Opens the counter on a file, where it goes on with what it finds there. The desk's ledger, which is the outside
    /// world here, stands beside it.
    pub async fn open_file(path: &Path, out: &'o mut dyn Write) -> Result<Self, Box<dyn Error>> {
        let desk = RefundDesk::kept_in(&path.with_added_extension("desk"))?;
        let runtime = Runtime::new(SqliteStore::open(path)?, policy()?, desk);
        let mut counter = Self::with(runtime, out).await?;
        for doubt in counter.runtime.in_doubt(None, usize::MAX).await? {
            let message =
                format!("{} of {}: nobody knows whether it happened", doubt.running.execution, doubt.open.key);
            counter.answer("found", &Answer::refused("in doubt", "action_in_progress", message, None))?;
        }
        Ok(counter)
    }
}

impl<'o, S: Store> Counter<'o, S> {
    async fn with(runtime: Runtime<Refund, S>, out: &'o mut dyn Write) -> Result<Self, Box<dyn Error>> {
        let mut counter = Self {
            runtime,
            orders: Vec::new(),
            shop: Actor::system("shop")?,
            agent: Actor::agent("agent-7")?,
            nora: Actor::human("nora")?,
            out,
            tally: BTreeMap::new(),
        };
        counter.take_orders().await?;
        Ok(counter)
    }

    async fn take_orders(&mut self) -> Told {
        report::heading(self.out, "The counter opens")?;
        let webshop = Mapping::new().event("checkout.completed", "ORDER_PLACED", &[("amount_total", "total")]);
        for line in ORDERS.lines() {
            let (order, placed) = webshop.adapt(RawEvent::parse(line, self.runtime.bounds())?)?;
            let payload = placed.payload.clone();
            let answer = if let Some(state) = self.runtime.entity(&order).await?.state() {
                Answer::done("found", format!("{order} {payload}: is {}", state.name()))
            } else {
                let taken = self.runtime.ingest(&self.shop, &order, placed).await?;
                Answer::verdict(&taken, |taken| format!("{order} {payload}: now {}", taken.state))
            };
            report::answer(self.out, "shop", &answer)?;
            self.orders.push(order);
        }
        report::entry(self.out, "agent-7", "makes every call of the file, whoever a line says that it is from")?;
        let rule = format!(
            "a script that plays the human: grants up to {}, denies what is above or hides characters",
            reviewer::LIMIT
        );
        report::entry(self.out, "nora", &rule)?;
        let drill = "after a grant the agent also tries what must fail: one cent more, and the same twice";
        report::entry(self.out, "agent-7", drill)?;
        Ok(())
    }

    /// Serves one line of the file.
    pub async fn line(&mut self, line: Line) -> Told {
        let number = line.number;
        self.count("line");
        let text = match line.text {
            Ok(text) if text.is_empty() => return self.unread(number, "empty_line", "the line is empty", None),
            Ok(text) => text,
            Err(Unreadable::TooLong(length)) => {
                let message = format!("a line of {length} bytes: at most {LINE} are allowed");
                return self.unread(number, "line_too_long", &message, Some("send less".to_owned()));
            }
            Err(Unreadable::NotText) => {
                return self.unread(number, "not_utf_8", "the line is no UTF-8 text", None);
            }
        };
        let bounds = Bounds { payload: LINE, ..*self.runtime.bounds() };
        match tool_call::read(&text, &bounds) {
            Ok(calls) => {
                for (place, call) in (1..).zip(calls) {
                    // When the same file is served again, what was done is not done again.
                    let key = format!("line-{number}.{place}").parse()?;
                    self.tool_call(number, &call, key).await?;
                }
                Ok(())
            }
            Err(fault) => self.unread(number, fault.code(), &fault.to_string(), Some(fault.remedy().to_owned())),
        }
    }

    fn unread(&mut self, number: u64, code: &str, message: &str, remedy: Option<String>) -> Told {
        report::heading(self.out, &format!("line {number}"))?;
        self.answer("reader", &Answer::refused("unreadable", code, message, remedy))
    }

    /// Answers what the file asks for, and counts it.
    fn answer(&mut self, who: &str, answer: &Answer) -> Told {
        self.count("answer");
        self.count(answer.word());
        report::answer(self.out, who, answer)?;
        Ok(())
    }

    async fn tool_call(&mut self, number: u64, call: &ToolCall, key: IdempotencyKey) -> Told {
        let id = call.id.as_ref().map_or_else(|| "no id".to_owned(), ToString::to_string);
        report::heading(self.out, &format!("line {number} · {} · {}", call.format, excerpt(&id)))?;
        let understood = call.request(self.runtime.bounds()).and_then(|request| {
            let order = Refund::entity(&request.order).map_err(Fault::Order)?;
            Ok((order, request.call))
        });
        let (order, asked) = match understood {
            Ok(understood) => understood,
            Err(fault) => {
                if call.missing.is_none() {
                    let made = format!("calls {} {}", excerpt(&call.name), excerpt(&call.arguments));
                    report::entry(self.out, "agent-7", &made)?;
                }
                let remedy = Some(fault.remedy().to_owned());
                return self.answer("reader", &Answer::refused("unreadable", fault.code(), fault.to_string(), remedy));
            }
        };
        if let Some(rationale) = &call.rationale {
            report::entry(self.out, "agent-7", &format!("says \"{}\"", excerpt(rationale)))?;
        }
        let wish = format!("wants {} of {order} with {}", excerpt(asked.action()), excerpt(asked.parameters()));
        report::entry(self.out, "agent-7", &wish)?;
        let proposal = match &call.rationale {
            Some(rationale) => Proposal::new(asked).because(rationale),
            None => Proposal::new(asked),
        };
        let outcome = self.runtime.execute(&self.agent, &order, proposal.clone().idempotency_key(key.clone())).await?;
        self.answer("kiff", &Answer::execution(&outcome, |executed| executed))?;
        if matches!(outcome, Outcome::ApprovalRequired(_)) {
            self.ask_nora(&order, proposal, key).await
        } else {
            Ok(())
        }
    }

    /// Asks the human about a held proposal, and lets the agent try again with her answer.
    async fn ask_nora(&mut self, order: &EntityKey, proposal: Proposal<Call>, key: IdempotencyKey) -> Told {
        let asked = self.runtime.request_approval(&self.agent, order, proposal.clone()).await?;
        let told = Answer::verdict(&asked, |asked| format!("{} asks nora for exactly this", asked.id));
        report::answer(self.out, "kiff", &told)?;
        let Verdict::Allowed(approval) = asked else {
            return Ok(());
        };
        let reviewed = self.runtime.review(&self.nora, order, &approval.id, reviewer::answer(&approval)).await?;
        report::answer(self.out, "nora", &Answer::verdict(&reviewed, report::status))?;
        let again = proposal.approval(approval.id.clone());
        if let Verdict::Allowed(Approval { status: ApprovalStatus::Granted(_), .. }) = reviewed {
            self.count("granted");
            let more = one_cent_more(&approval)?;
            self.try_with("1 cent more", order, Proposal::new(more).approval(approval.id.clone())).await?;
            self.try_with("as granted", order, again.clone().idempotency_key(key)).await?;
            self.try_with("once more", order, again).await
        } else {
            self.count("denied");
            self.try_with("even so", order, again).await
        }
    }

    async fn try_with(&mut self, label: &str, order: &EntityKey, proposal: impl Propose<Refund>) -> Told {
        let outcome = self.runtime.execute(&self.agent, order, proposal).await?;
        match &outcome {
            Outcome::Executed(_) => self.count("executed under an approval"),
            Outcome::Failed(failed) if failed.is_in_doubt() => self.count("in doubt under an approval"),
            _ => {}
        }
        report::answer(self.out, label, &Answer::execution(&outcome, |executed| executed))?;
        Ok(())
    }

    /// Closes the counter: every order's timeline, whether its events alone lead to the same state, and the counts.
    pub async fn close(mut self) -> Told {
        for order in std::mem::take(&mut self.orders) {
            self.count("journal");
            report::heading(self.out, &order.to_string())?;
            let rebuilt = self.runtime.rebuild(&self.shop, &order).await?;
            let timeline = self.runtime.timeline(&order).await?;
            report::timeline(self.out, &timeline)?;
            if matches!(&rebuilt, Verdict::Allowed(rebuilt) if rebuilt.matches) {
                self.count("replayed as recorded");
            }
            let answer = Answer::verdict(&rebuilt, |rebuilt| {
                let fits = if rebuilt.matches { "as recorded" } else { "NOT as recorded" };
                format!("{} events lead to {}, {fits}", rebuilt.events, rebuilt.state.name())
            });
            report::answer(self.out, "replay", &answer)?;
        }
        self.summary()
    }

    fn summary(&mut self) -> Told {
        let of = |what: &str| self.tally.get(what).copied().unwrap_or(0);
        let amounts = self.runtime.services().paid_back();
        let text = format!(
            "{} lines got {} answers: {} executed, {} held, {} blocked, {} invalid, {} failed, {} unreadable. \
             Approvals: {} granted, {} denied; of the refunds under them, {} done and {} in doubt. \
             The desk paid back {} amounts, {} in all. {} of {} journals replay as recorded.",
            of("line"),
            of("answer"),
            of("executed"),
            of("held"),
            of("blocked"),
            of("invalid"),
            of("failed") + of("in doubt"),
            of("unreadable"),
            of("granted"),
            of("denied"),
            of("executed under an approval"),
            of("in doubt under an approval"),
            amounts.len(),
            Cents(amounts.iter().map(|amount| amount.0).sum()),
            of("replayed as recorded"),
            of("journal"),
        );
        report::heading(self.out, "The counter closes")?;
        report::entry(self.out, "summary", &text)?;
        Ok(())
    }

    fn count(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
    }
}

/// The refund that was signed off, but for a cent.
fn one_cent_more(approval: &Approval) -> Result<RefundOrder, Box<dyn Error>> {
    #[derive(Deserialize)]
    struct Granted {
        amount: Cents,
        reason: String,
    }
    let granted: Granted = approval.parameters.decode()?;
    Ok(RefundOrder { amount: Cents(granted.amount.0 + 1), reason: granted.reason })
}

/// The beginning of a text that an agent wrote.
fn excerpt(text: &str) -> String {
    const SHOWN: usize = 160;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
