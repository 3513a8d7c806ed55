//! Incidents: what an agent may do about one by itself, what needs a person, and the platform that it is done to.

use std::collections::BTreeMap;
use std::sync::Mutex;

use kiff::{Execution, Failure, action, domain};

domain! {
    /// Incidents: an agent finds the cause and mends it, and touches production only when a person has agreed.
    pub domain Ops governs Incident;
    services Platform;                         // what executors may touch: clients, credentials

    roles { Agent: agent, OnCall: human, Monitor: system }

    states { Open, Diagnosed, Mitigated, final Closed }

    events {
        AlertRaised       { service: String, symptom: String } reported by Monitor;    // a fact from outside
        CauseFound        { cause: String };                                           // only an action can make it happen
        ReleaseRolledBack { service: String, release: String };
        IncidentClosed    { summary: String };
    }

    transitions {
        AlertRaised:       new       => Open;
        CauseFound:        Open      => Diagnosed;
        ReleaseRolledBack: Diagnosed => Mitigated;
        IncidentClosed:    Mitigated => Closed;
    }

    actions {
        Diagnose      { risk: low,  by: Agent, emits: CauseFound, effect: none };
        RollBack      { risk: high, by: Agent, emits: ReleaseRolledBack, approval: OnCall };
        CloseIncident { risk: low,  by: Agent, emits: IncidentClosed, effect: none };
    }

    allow {
        Open      => [Diagnose];
        Diagnosed => [RollBack];
        Mitigated => [CloseIncident];
    }

    never {
        Mitigated without OnCall;
        Agent alone from Open to Closed;
    }
}

/// Writes down what caused the incident.
#[action(Ops::Diagnose)]
async fn diagnose(
    /// The cause, in a sentence.
    #[param(length(min = 1, max = 500))]
    cause: String,
) -> Result<CauseFound, Failure> {
    Ok(CauseFound { cause })
}

/// Puts a service back to an earlier release, in production.
#[action(Ops::RollBack)]
async fn roll_back(
    platform: &Platform,
    execution: &Execution,
    /// The service, as the alert names it.
    #[param(pattern("[a-z][a-z0-9-]{0,62}"))]
    service: String,
    /// The release to go back to, such as v2.3.9.
    #[param(pattern("v[0-9]+\\.[0-9]+\\.[0-9]+"))]
    release: String,
) -> Result<ReleaseRolledBack, Failure> {
    // The execution's id is the idempotency key for the outside world: the same one twice deploys once.
    platform.deploy(execution.id().as_str(), &service, &release)?;
    Ok(ReleaseRolledBack { service, release })
}

/// Closes the incident, when the service is well again.
#[action(Ops::CloseIncident)]
async fn close_incident(
    /// What happened and what was done, for whoever reads it later.
    #[param(length(min = 1, max = 2000))]
    summary: String,
) -> Result<IncidentClosed, Failure> {
    Ok(IncidentClosed { summary })
}

/// What the executors touch. This one only remembers; put the client of your platform here.
///
/// A method that fails says which kind of failure it is: `Failure::refused` when nothing happened, `Failure::unknown` when it
/// may have happened all the same.
#[derive(Debug, Default)]
pub struct Platform {
    deployed: Mutex<BTreeMap<String, (String, String)>>,
}

impl Platform {
    /// Each service that was deployed, and its release.
    pub fn deployed(&self) -> Vec<(String, String)> {
        self.deployed.lock().map(|deployed| deployed.values().cloned().collect()).unwrap_or_default()
    }

    fn deploy(&self, idempotency_key: &str, service: &str, release: &str) -> Result<(), Failure> {
        let mut deployed = self.deployed.lock().map_err(|_| Failure::refused("the platform is out of order"))?;
        deployed.insert(idempotency_key.to_owned(), (service.to_owned(), release.to_owned()));
        Ok(())
    }
}
