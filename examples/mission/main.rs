//! Two attempts at a mission, one that a human lets go on and one that they stop: `cargo run --example mission`.

pub mod domain;
#[path = "../tour/narrator.rs"]
pub mod narrator;
#[path = "../refund/report.rs"]
pub mod report;

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use domain::{
    CreateAttempt, ExecuteMove, Mission, MissionRole, MissionSubmitted, ProposeMove, RequestHumanApproval, Rover,
};
use kiff::{
    Actor, ApprovalId, Declared, Domain, EntityKey, Governed, MemoryStore, Proposal, Propose, Review, RolePolicy,
    Runtime, Verdict,
};
use narrator::Narrator;
use report::{Answer, ShortIdentifiers};

type Told = Result<(), Box<dyn Error>>;

fn main() -> ExitCode {
    if std::env::args_os().len() > 1 {
        eprintln!("the mission takes no arguments:\n  cargo run --example mission");
        return ExitCode::from(2);
    }
    match pollster::block_on(fly(&mut anstream::stdout().lock())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if report::reader_is_gone(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the mission broke off: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn fly(out: &mut dyn Write) -> Told {
    let mut base = Base::new(out)?;
    base.granted(&Mission::entity("attempt-1")?).await?;
    base.denied(&Mission::entity("attempt-2")?).await
}

/// One runtime, and everybody who comes to it.
struct Base<'o> {
    runtime: Runtime<Mission>,
    control: Actor,
    pilot: Actor,
    ada: Actor,
    narrator: Narrator<'o>,
}

impl<'o> Base<'o> {
    fn new(out: &'o mut dyn Write) -> Result<Self, Box<dyn Error>> {
        let (control, pilot, ada) = (Actor::system("control")?, Actor::agent("pilot-3")?, Actor::human("ada")?);
        let policy = RolePolicy::new()
            .assign(&control, MissionRole::Control)
            .assign(&pilot, MissionRole::Pilot)
            .assign(&ada, MissionRole::Supervisor);
        Ok(Self {
            runtime: Runtime::new(MemoryStore::new(), policy, Rover::new("rover-1"))
                .with_identifiers(ShortIdentifiers::default()),
            control,
            pilot,
            ada,
            narrator: Narrator::new(out, Duration::ZERO),
        })
    }

    async fn granted(&mut self, attempt: &EntityKey) -> Told {
        self.narrator.chapter("A plan is granted, and the move is made")?;
        let (heading, metres) = (90, 12);
        self.begin(attempt).await?;
        self.pilot_tries(attempt, ProposeMove { heading, metres }, None).await?;
        let plan = RequestHumanApproval { heading, metres };
        self.pilot_tries(attempt, plan.clone(), None).await?;
        let signed = self.ask(attempt, plan.clone(), Review::grant().because("flat ground")).await?;
        self.pilot_tries(attempt, plan, Some(&signed)).await?;
        let go = ExecuteMove { heading, metres };
        self.pilot_tries(attempt, go.clone(), None).await?;
        let signed = self.ask(attempt, go.clone(), Review::grant().because("go")).await?;
        self.pilot_tries(attempt, ExecuteMove { heading, metres: 50 }, Some(&signed)).await?;
        self.pilot_tries(attempt, go, Some(&signed)).await?;
        self.end(attempt).await
    }

    async fn denied(&mut self, attempt: &EntityKey) -> Told {
        self.narrator.chapter("A plan is denied, and nothing moves")?;
        let (heading, metres) = (270, 50);
        self.begin(attempt).await?;
        self.pilot_tries(attempt, ProposeMove { heading, metres }, None).await?;
        let plan = RequestHumanApproval { heading, metres };
        self.pilot_tries(attempt, plan.clone(), None).await?;
        let denied = self.ask(attempt, plan.clone(), Review::deny().because("there is a crater")).await?;
        self.pilot_tries(attempt, plan, Some(&denied)).await?;
        self.pilot_tries(attempt, ExecuteMove { heading, metres }, None).await?;
        self.end(attempt).await
    }

    async fn begin(&mut self, attempt: &EntityKey) -> Told {
        let submitted = MissionSubmitted { target: "the eastern ridge".to_owned() };
        self.narrator.tell("control", &format!("submits {attempt} to {}", submitted.target))?;
        let ingested = self.runtime.ingest(&self.control, attempt, submitted).await?;
        self.narrator.answer(&Answer::verdict(&ingested, |ingested| format!("now {}", ingested.state)))?;
        self.pilot_tries(attempt, CreateAttempt {}, None).await
    }

    /// The pilot tries an action, under an approval if there is one.
    async fn pilot_tries<A>(&mut self, attempt: &EntityKey, action: A, approval: Option<&ApprovalId>) -> Told
    where
        A: Governed<Mission> + Propose<Mission>,
    {
        let name = &A::Declared::ACTION.contract().name;
        let parameters = action.encode(self.runtime.bounds())?;
        let under = approval.map_or_else(String::new, |approval| format!(" under {approval}"));
        self.narrator.tell("pilot-3", &format!("tries {name} {parameters}{under}"))?;
        let proposal = match approval {
            Some(approval) => Proposal::new(action).approval(approval.clone()),
            None => Proposal::new(action),
        };
        let outcome = self.runtime.execute(&self.pilot, attempt, proposal).await?;
        self.narrator.answer(&Answer::execution(&outcome, |executed| executed))?;
        Ok(())
    }

    /// The pilot asks for a sign-off, and the supervisor answers.
    async fn ask(
        &mut self,
        attempt: &EntityKey,
        proposal: impl Propose<Mission>,
        review: Review,
    ) -> Result<ApprovalId, Box<dyn Error>> {
        self.narrator.tell("pilot-3", "asks for an approval")?;
        let asked = self.runtime.request_approval(&self.pilot, attempt, proposal).await?;
        self.narrator.answer(&Answer::verdict(&asked, report::status))?;
        let Verdict::Allowed(approval) = asked else {
            return Err("the request was refused".into());
        };
        self.narrator.tell("ada", &format!("reviews {} {}", approval.action, approval.parameters))?;
        let reviewed = self.runtime.review(&self.ada, attempt, &approval.id, review).await?;
        self.narrator.answer(&Answer::verdict(&reviewed, report::status))?;
        Ok(approval.id)
    }

    async fn end(&mut self, attempt: &EntityKey) -> Told {
        let odometer = self.runtime.services().odometer();
        self.narrator.tell("rover-1", &format!("has driven {odometer} m in all"))?;
        let rebuilt = self.runtime.rebuild(&self.control, attempt).await?;
        self.narrator.record(&self.runtime.timeline(attempt).await?, &rebuilt)?;
        Ok(())
    }
}
