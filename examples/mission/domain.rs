//! Attempts at a mission: an agent drives a rover, and a human decides where to.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use kiff::{Execution, ExecutionId, Failure, action, domain};

domain! {
    /// Attempts at a mission: an agent drives a rover, and a human decides where to.
    ///
    /// A human is asked twice: whether the plan is good, and, for exactly the move that is made, go or no go. The
    /// second question stands because an attempt is active before its first plan too: take the approval of
    /// `ExecuteMove` away, and the first line of `never` says so with the path.
    pub domain Mission governs MissionAttempt;
    services Rover;

    roles { Pilot: agent, Supervisor: human, Control: system }

    states { Submitted, Active, WaitingApproval, final Completed }

    events {
        MissionSubmitted     { target: String } reported by Control;
        AttemptCreated       { rover: String };
        MoveProposed         { heading: u16, metres: u32 };
        HumanApprovalGranted { heading: u16, metres: u32 };
        MoveExecuted         { heading: u16, metres: u32 };
    }

    transitions {
        MissionSubmitted:     new                      => Submitted;
        AttemptCreated:       Submitted                => Active;
        MoveProposed:         Active | WaitingApproval => WaitingApproval;
        HumanApprovalGranted: WaitingApproval          => Active;
        MoveExecuted:         Active                   => Completed;
    }

    actions {
        CreateAttempt        { risk: low,    by: Pilot, emits: AttemptCreated, effect: none };
        ProposeMove          { risk: low,    by: Pilot, emits: MoveProposed, effect: none };
        RequestHumanApproval { risk: medium, by: Pilot, emits: HumanApprovalGranted, effect: none, approval: Supervisor };
        ExecuteMove          { risk: high,   by: Pilot, emits: MoveExecuted, approval: Supervisor };
    }

    allow {
        Submitted       => [CreateAttempt];
        Active          => [ProposeMove, ExecuteMove];
        WaitingApproval => [ProposeMove, RequestHumanApproval];
    }

    never {
        Completed without Supervisor;
        Pilot alone from WaitingApproval to Active;
    }
}

/// Assigns the rover.
#[action(Mission::CreateAttempt)]
async fn create_attempt(rover: &Rover) -> Result<AttemptCreated, Failure> {
    Ok(AttemptCreated { rover: rover.name.clone() })
}

/// Says where to go next.
#[action(Mission::ProposeMove)]
async fn propose_move(
    #[param(range(min = 0, max = 359))] heading: u16,
    #[param(range(min = 1, max = 50))] metres: u32,
) -> Result<MoveProposed, Failure> {
    Ok(MoveProposed { heading, metres })
}

/// Goes on with the plan that a human has found good.
#[action(Mission::RequestHumanApproval)]
async fn request_human_approval(
    #[param(range(min = 0, max = 359))] heading: u16,
    #[param(range(min = 1, max = 50))] metres: u32,
) -> Result<HumanApprovalGranted, Failure> {
    Ok(HumanApprovalGranted { heading, metres })
}

/// Drives.
#[action(Mission::ExecuteMove)]
async fn execute_move(
    rover: &Rover,
    execution: &Execution,
    #[param(range(min = 0, max = 359))] heading: u16,
    #[param(range(min = 1, max = 50))] metres: u32,
) -> Result<MoveExecuted, Failure> {
    rover.drive(execution.id(), metres);
    Ok(MoveExecuted { heading, metres })
}

/// A rover in this process.
#[derive(Debug)]
pub struct Rover {
    name: String,
    /// What it drove, by the key of each order, so that the same order twice drives once.
    drives: Mutex<BTreeMap<ExecutionId, u32>>,
}

impl Rover {
    /// A rover that has not moved yet.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), drives: Mutex::default() }
    }

    fn drive(&self, key: &ExecutionId, metres: u32) {
        self.drives.lock().unwrap_or_else(PoisonError::into_inner).entry(key.clone()).or_insert(metres);
    }

    /// How far it has driven, in metres.
    pub fn odometer(&self) -> u32 {
        self.drives.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }
}
