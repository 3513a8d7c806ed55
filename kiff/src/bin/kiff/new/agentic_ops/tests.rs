//! The three tests that every domain starts with: what should work, what must not, and the replay.

use kiff::ReasonCode;
use kiff_test::given;

use @LIBRARY@::domain::{
    AlertRaised, CauseFound, CloseIncident, Diagnose, IncidentState, Ops, OpsRole, Platform, ReleaseRolledBack, RollBack,
};

fn raised() -> AlertRaised {
    AlertRaised { service: "checkout".into(), symptom: "502".into() }
}

fn roll_back() -> RollBack {
    RollBack { service: "checkout".into(), release: "v2.3.9".into() }
}

#[test]
fn a_release_is_rolled_back_once_when_a_person_has_agreed() {
    given::<Ops>(Platform::default())
        .event(raised())
        .event(CauseFound { cause: "a bad release".into() })
        .when(OpsRole::Agent, roll_back())
        .then()
        .approval_required()
        .services(|platform| assert!(platform.deployed().is_empty()))
        .approved_by(OpsRole::OnCall)
        .executed(ReleaseRolledBack { service: "checkout".into(), release: "v2.3.9".into() })
        .state(IncidentState::Mitigated)
        .services(|platform| assert_eq!(platform.deployed(), [("checkout".into(), "v2.3.9".into())]));
}

#[test]
fn nothing_is_rolled_back_before_the_cause_is_known() {
    given::<Ops>(Platform::default())
        .event(raised())
        .when(OpsRole::Agent, roll_back())
        .then()
        .blocked(ReasonCode::StateNotAllowed);
}

#[test]
fn the_events_alone_lead_to_the_same_state() {
    given::<Ops>(Platform::default())
        .event(raised())
        .action(Diagnose { cause: "a bad release".into() })
        .event(ReleaseRolledBack { service: "checkout".into(), release: "v2.3.9".into() })
        .when(OpsRole::Agent, CloseIncident { summary: "rolled back".into() })
        .then()
        .state(IncidentState::Closed)
        .replays();
}
