//! Domains that not everybody may see, each with executors that say as little of it as they can.

#![deny(warnings, unreachable_pub, private_interfaces, private_bounds, unnameable_types)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]
#![expect(clippy::redundant_pub_crate, reason = "`unreachable_pub` wants the opposite")]

use kiff::{Domain, Executable, Failure, action, domain};

/// What only this module knows.
#[derive(Debug, Default)]
struct Clerk;

domain! {
    domain Support governs Case;
    services Clerk;
    roles { Agent: agent, Shop: system }
    states { Open, final Closed }
    events { CaseOpened { by: String } reported by Shop; CaseClosed; }
    transitions { CaseOpened: new => Open; CaseClosed: Open => Closed; }
    actions { CloseCase { risk: low, by: Agent, emits: CaseClosed }; }
    allow { Open => [CloseCase]; }
}

#[action(Support::CloseCase)]
async fn close_case(_clerk: &Clerk, #[param(length(max = 9))] reason: Reason) -> Result<CaseClosed, Failure> {
    let _ = reason;
    Ok(CaseClosed)
}

/// A parameter that only this module knows.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Reason(String);

impl kiff::Measured for Reason {
    fn measure(&self) -> Option<u64> {
        self.0.measure()
    }
}

/// `pub(crate)`, and executors that say nothing or the same.
mod rental {
    use kiff::{Failure, action, domain};

    domain! {
        pub(crate) domain Rental governs Car;
        roles { Agent: agent, Shop: system }
        states { Open, final Closed }
        events { CarOpened { by: String } reported by Shop; CarClosed; }
        transitions { CarOpened: new => Open; CarClosed: Open => Closed; }
        actions { WashCar { risk: low, by: Agent, emits: none }; CloseCar { risk: low, by: Agent, emits: CarClosed }; }
        allow { Open => [CloseCar, WashCar]; }
    }

    #[action(Rental::CloseCar)]
    async fn close_car() -> Result<CarClosed, Failure> {
        Ok(CarClosed)
    }

    #[action(Rental::WashCar)]
    pub(crate) async fn wash(twice: bool) -> Result<(), Failure> {
        if twice { Err(Failure::refused("once is enough")) } else { Ok(()) }
    }
}

/// For the module around it, from a module inside of it.
mod loan {
    use kiff::domain;

    domain! {
        pub(super) domain Loan governs Book;
        roles { Agent: agent, Shop: system }
        states { Open, final Closed }
        events { BookOpened { by: String } reported by Shop; BookClosed; }
        transitions { BookOpened: new => Open; BookClosed: Open => Closed; }
        actions { CloseBook { risk: low, by: Agent, emits: BookClosed }; }
        allow { Open => [CloseBook]; }
    }

    pub(super) mod executors {
        use kiff::{Failure, action};

        use super::{BookClosed, Loan};

        #[action(Loan::CloseBook)]
        async fn close() -> Result<BookClosed, Failure> {
            Ok(BookClosed)
        }
    }
}

/// For a module farther up.
mod far {
    pub(crate) mod away {
        use kiff::{Failure, action, domain};

        domain! {
            pub(in crate::far) domain Berth governs Boat;
            roles { Agent: agent, Shop: system }
            states { Open, final Closed }
            events { BoatOpened { by: String } reported by Shop; BoatClosed; }
            transitions { BoatOpened: new => Open; BoatClosed: Open => Closed; }
            actions { CloseBoat { risk: low, by: Agent, emits: BoatClosed }; }
            allow { Open => [CloseBoat]; }
        }

        #[action(Berth::CloseBoat)]
        async fn close_boat() -> Result<BoatClosed, Failure> {
            Ok(BoatClosed)
        }
    }

    pub(crate) fn name() -> &'static str {
        let _ = away::CloseBoat;
        super::name::<away::Berth>()
    }
}

/// `pub` for everybody, private for this module.
pub mod public {
    use kiff::{Failure, action, domain};

    mod private {
        use kiff::{Failure, action, domain};

        domain! {
            pub(self) domain Local governs Room;
            roles { Agent: agent, Shop: system }
            states { Open, final Closed }
            events { RoomOpened { by: String } reported by Shop; RoomClosed; }
            transitions { RoomOpened: new => Open; RoomClosed: Open => Closed; }
            actions { CloseRoom { risk: low, by: Agent, emits: RoomClosed }; }
            allow { Open => [CloseRoom]; }
        }

        #[action(Local::CloseRoom)]
        pub(self) async fn close_room() -> Result<RoomClosed, Failure> {
            Ok(RoomClosed)
        }

        pub(super) fn name() -> &'static str {
            let _ = CloseRoom;
            super::super::name::<Local>()
        }
    }

    domain! {
        pub domain Ticket governs Seat;
        roles { Agent: agent, Shop: system }
        states { Open, final Closed }
        events { SeatOpened { by: String } reported by Shop; SeatClosed; }
        transitions { SeatOpened: new => Open; SeatClosed: Open => Closed; }
        actions { CloseSeat { risk: low, by: Agent, emits: SeatClosed }; }
        allow { Open => [CloseSeat]; }
    }

    #[action(Ticket::CloseSeat)]
    pub async fn close_seat() -> Result<SeatClosed, Failure> {
        Ok(SeatClosed)
    }

    /// The wire name of the private one.
    #[must_use]
    pub fn name() -> &'static str {
        private::name()
    }
}

/// The wire names of those that stay inside.
#[must_use]
pub fn names() -> [&'static str; 5] {
    let _ = (CloseCase { reason: Reason(String::new()) }, rental::CloseCar, rental::WashCar { twice: true });
    let _ = loan::executors::CloseBook;
    [name::<Support>(), name::<rental::Rental>(), name::<loan::Loan>(), far::name(), public::name()]
}

fn name<D: Domain + Executable>() -> &'static str {
    &D::schema().domain
}
