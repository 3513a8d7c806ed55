//! Devices, and who has them: the domain of docs/build-a-domain.md.

use std::collections::BTreeMap;
use std::sync::Mutex;

use kiff::{Execution, Failure, Reconciled, action, domain, reconcile};

domain! {
    /// Devices, and who has them.
    pub domain Lending governs Device;
    services Devices;

    roles { Clerk: agent, Manager: human, Warehouse: system }

    states { InStock, LentOut, final WrittenOff }

    events {
        DeviceRegistered { serial: String } reported by Warehouse;
        DeviceLent       { to: String };
        DeviceReturned reported by Warehouse;
        DeviceWrittenOff { reason: String };
    }

    transitions {
        DeviceRegistered: new     => InStock;
        DeviceLent:       InStock => LentOut;
        DeviceReturned:   LentOut => InStock;
        DeviceWrittenOff: InStock | LentOut => WrittenOff;
    }

    actions {
        Lend     { risk: low,  by: Clerk, emits: DeviceLent };
        WriteOff { risk: high, by: Clerk, emits: DeviceWrittenOff, approval: Manager, effect: none };
    }

    allow {
        InStock => [Lend, WriteOff];
        LentOut => [WriteOff];
    }

    never { WrittenOff without Manager; Clerk alone from InStock to WrittenOff }
}

/// Hands a device out.
#[action(Lending::Lend)]
async fn lend(
    devices: &Devices,
    execution: &Execution,
    /// The person who gets it.
    #[param(length(min = 1, max = 80))]
    to: String,
) -> Result<DeviceLent, Failure> {
    devices.lend(execution.id().as_str(), &to)?;
    Ok(DeviceLent { to })
}

/// Finds out whether a device was handed out, where the executor did not live to tell.
#[reconcile(Lending::Lend)]
async fn find_loan(devices: &Devices, execution: &Execution) -> Result<Reconciled<DeviceLent>, Failure> {
    Ok(match devices.loan_by_key(execution.id().as_str())? {
        Some(to) => Reconciled::Happened(DeviceLent { to }),
        None => Reconciled::DidNotHappen,
    })
}

/// Takes a device off the books.
#[action(Lending::WriteOff)]
async fn write_off(#[param(length(min = 10, max = 500))] reason: String) -> Result<DeviceWrittenOff, Failure> {
    Ok(DeviceWrittenOff { reason })
}

/// The lending desk's own system. This one only remembers; put your client here.
#[derive(Debug, Default)]
pub struct Devices {
    loans: Mutex<BTreeMap<String, String>>,
}

impl Devices {
    fn lend(&self, idempotency_key: &str, to: &str) -> Result<(), Failure> {
        let mut loans = self.loans.lock().map_err(|_| Failure::refused("the desk is closed"))?;
        loans.insert(idempotency_key.to_owned(), to.to_owned());
        Ok(())
    }

    fn loan_by_key(&self, idempotency_key: &str) -> Result<Option<String>, Failure> {
        let loans = self.loans.lock().map_err(|_| Failure::unknown("the desk is closed"))?;
        Ok(loans.get(idempotency_key).cloned())
    }
}
