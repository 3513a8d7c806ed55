//! A domain of thirty states, whose diagram is as long as they get.

use kiff::{Failure, action, domain};

/// Where the crew stands.
pub struct Bridge;

domain! {
    /// A voyage through thirty phases, one after the other.
    pub domain Voyage governs Ship;
    services Bridge;

    roles { Agent: agent, Operator: human, System: system }

    states { Phase01, Phase02, Phase03, Phase04, Phase05, Phase06, Phase07, Phase08, Phase09, Phase10, Phase11, Phase12, Phase13, Phase14, Phase15, Phase16, Phase17, Phase18, Phase19, Phase20, Phase21, Phase22, Phase23, Phase24, Phase25, Phase26, Phase27, Phase28, Phase29, final Phase30 }

    events {
        Started  { to: String } reported by System;
        Advanced { miles: i64 } reported by System | Operator;
    }

    transitions {
        Started:  new     => Phase01;
        Advanced: Phase01 => Phase02;
        Advanced: Phase02 => Phase03;
        Advanced: Phase03 => Phase04;
        Advanced: Phase04 => Phase05;
        Advanced: Phase05 => Phase06;
        Advanced: Phase06 => Phase07;
        Advanced: Phase07 => Phase08;
        Advanced: Phase08 => Phase09;
        Advanced: Phase09 => Phase10;
        Advanced: Phase10 => Phase11;
        Advanced: Phase11 => Phase12;
        Advanced: Phase12 => Phase13;
        Advanced: Phase13 => Phase14;
        Advanced: Phase14 => Phase15;
        Advanced: Phase15 => Phase16;
        Advanced: Phase16 => Phase17;
        Advanced: Phase17 => Phase18;
        Advanced: Phase18 => Phase19;
        Advanced: Phase19 => Phase20;
        Advanced: Phase20 => Phase21;
        Advanced: Phase21 => Phase22;
        Advanced: Phase22 => Phase23;
        Advanced: Phase23 => Phase24;
        Advanced: Phase24 => Phase25;
        Advanced: Phase25 => Phase26;
        Advanced: Phase26 => Phase27;
        Advanced: Phase27 => Phase28;
        Advanced: Phase28 => Phase29;
        Advanced: Phase29 => Phase30;
    }

    actions {
        LookOut { risk: low, by: Agent, emits: none, effect: none };
    }

    allow {
        Phase01 => [LookOut];
    }
}

/// Looks out for ice.
#[action(Voyage::LookOut)]
async fn look_out(_bridge: &Bridge) -> Result<(), Failure> {
    Ok(())
}
