//! What a domain cannot have whose executors are in another crate.

use crate::domain::model::Model;
use crate::errors::{Errors, SYNTAX};

/// Another crate has to see the domain, and brings the services along with the executors.
pub(crate) fn executors_elsewhere(model: &Model, errors: &Errors) {
    let Some(word) = &model.elsewhere else {
        return;
    };
    if let Some(services) = &model.services {
        let message = "the services are where the executors are: take this line away, and write \
                       `kiff::executors!(… => RefundDesk);` there";
        errors.report(SYNTAX, services, message);
    }
    if !matches!(model.header.visibility, syn::Visibility::Public(_)) {
        let message = "no other crate sees this domain: write `pub domain`";
        errors.report(SYNTAX, word, message);
    }
}
