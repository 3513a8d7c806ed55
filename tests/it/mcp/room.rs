//! How much a tool answers: a model does not read what no model can.

use serde_json::{Value, json};

use super::with_client;
use crate::shop::{AddNote, people, place};

#[test]
fn p10_a_timeline_comes_in_parts_that_are_no_larger_than_others() {
    with_client(async |client, runtime| {
        let key = place(&runtime, "ord-1").await;
        for number in 0..10 {
            let note = AddNote { text: format!("{}{number}", "x".repeat(60_000)) };
            assert!(runtime.execute(&people().agent, &key, note).await.unwrap().executed().is_some());
        }
        let (mut ids, mut after, mut count) = (Vec::new(), Value::Null, 0);
        while count == 0 || !after.is_null() {
            let (told, _) =
                client.call("timeline", json!({ "entity_id": "ord-1", "limit": 500, "after": after })).await;
            let size = told.to_string().len();
            assert!(size < 300_000, "{size} bytes");
            ids.extend(told["records"].as_array().unwrap().iter().map(|line| line["id"].as_str().unwrap().to_owned()));
            after = told["next"].clone();
            count += 1;
        }
        let whole = runtime.timeline(&key).await.unwrap();
        assert_eq!(ids, whole.records().map(|record| record.id().to_string()).collect::<Vec<_>>());
        assert!(count > 5, "{count} parts");
    });
}
