use chrono::TimeDelta;
use futures_util::TryStreamExt;

use super::*;
use crate::{clock::Clock, random::Random, seal::content::ContentKey};

const SIZE: usize = 300_000;

/// Each kind of place: what holds of one, holds of all.
fn places(folder: &std::path::Path) -> Vec<Objects> {
    let mut urls = vec![ObjectsUrl::Memory, ObjectsUrl::Folder(folder.join("objects"))];
    // Of a server that steward's tests do not start, as moto_server or SeaweedFS.
    if let Ok(bucket) = std::env::var("TEST_S3_URL") {
        urls.push(bucket.parse().expect("a bucket"));
    }
    urls.iter().map(|url| Objects::at(url).expect("a place")).collect()
}

fn content() -> Vec<u8> {
    (0..SIZE).map(|index| (index % 251) as u8).collect()
}

async fn stage(objects: &Objects, content: &[u8], key: Option<&ContentKey>) -> Staged {
    let id = Random::system().id(Clock::system().now());
    let mut writer = objects.writer(id, key).expect("a writer");
    for some in content.chunks(10_000) {
        writer.write(bytes::Bytes::copy_from_slice(some)).await.expect("written");
    }
    writer.finish().await.expect("finished")
}

async fn listed(objects: &Objects, folder: &str) -> Vec<ObjectName> {
    let listed = objects.list(folder).expect("a list").try_collect::<Vec<_>>().await;
    let mut names: Vec<_> = listed.expect("listed").into_iter().map(|it| it.name).collect();
    names.sort();
    names
}

async fn read(objects: &Objects, content: &Content<'_>, range: Range<u64>) -> Vec<u8> {
    let stream = objects.read(content, range).await.expect("found");
    stream.try_collect::<Vec<_>>().await.expect("read").concat()
}

#[tokio::test]
async fn what_was_written_is_read_whole_and_in_parts_sealed_or_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let (organization_id, key) = (Uuid::from_u128(1), ContentKey::new(&Random::system()));
    for objects in places(folder.path()) {
        for key in [None, Some(&key)] {
            let plain = content();
            let mut staged = stage(&objects, &plain, key).await;
            assert_eq!((staged.size, &*staged.head), (SIZE as u64, &plain[..MAX_HEAD]));
            assert_eq!(staged.sha256 == staged.stored_sha256, key.is_none());
            let name = objects.publish(&mut staged, organization_id).await.expect("published");
            assert_eq!(objects.size(&name).await.expect("a size"), Some(staged.stored_size));
            let shown = Content { name: &name, size: staged.size, key };
            for range in [0..SIZE, 0..1, 65_535..65_537, 65_536..131_072, SIZE - 1..SIZE, 7..7] {
                let read = read(&objects, &shown, range.start as u64..range.end as u64).await;
                assert_eq!(read, plain[range.clone()], "{range:?} of {objects:?}");
            }
            if key.is_some() {
                let stored = objects.get(&name, 0..staged.stored_size).await.expect("found");
                let stored = stored.try_collect::<Vec<_>>().await.expect("read").concat();
                assert!(!stored.windows(100).any(|some| some == &plain[..100]));
            }
            objects.delete(&name).await.expect("removed");
            objects.delete(&name).await.expect("removed already");
            assert_eq!(objects.size(&name).await.expect("none"), None);
            let missing = objects.read(&shown, 0..1).await.err().map(|error| error.code());
            assert_eq!(missing, Some("not_found"));
        }
    }
}

#[tokio::test]
async fn the_same_content_has_another_name_each_time_and_a_list_shows_both() {
    let folder = tempfile::tempdir().expect("a folder");
    let organization_id = Random::system().id(Clock::system().now());
    for objects in places(folder.path()) {
        let mut names = Vec::new();
        for _ in 0..2 {
            let mut staged = stage(&objects, b"receipt", None).await;
            names.push(objects.publish(&mut staged, organization_id).await.expect("published"));
        }
        names.sort();
        assert_ne!(names[0], names[1]);
        assert_eq!(listed(&objects, &organization_id.to_string()).await, names);
        let removed = objects.delete_below(&organization_id.to_string(), 1).await;
        assert_eq!(removed.expect("removed"), 1);
        assert_eq!(listed(&objects, &organization_id.to_string()).await.len(), 1);
        objects.delete_below(&organization_id.to_string(), 10).await.expect("removed");
        assert_eq!(listed(&objects, &organization_id.to_string()).await, []);
    }
}

#[tokio::test]
async fn what_is_staged_and_not_published_is_removed_with_its_owner() {
    let folder = tempfile::tempdir().expect("a folder");
    for objects in places(folder.path()) {
        let staged = stage(&objects, &content(), None).await;
        let name = ObjectName::from_stored(temporary(staged.id).to_string());
        assert!(objects.size(&name).await.expect("a size").is_some());
        drop(staged);
        for _ in 0..1_000 {
            if objects.size(&name).await.expect("a size").is_none() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert_eq!(objects.size(&name).await.expect("a size"), None, "{objects:?}");
    }
}

#[tokio::test]
async fn a_folder_shows_what_a_killed_upload_has_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let objects = Objects::at(&ObjectsUrl::Folder(folder.path().join("o"))).expect("a place");
    let now = Clock::system().now();
    assert_eq!(objects.abandoned(now, true).await.expect("nothing yet"), 0);
    let mut writer = objects.writer(Uuid::from_u128(1), None).expect("a writer");
    writer.write(vec![1; PART_BYTES].into()).await.expect("written");
    let (soon, earlier) = (now + TimeDelta::minutes(1), now - TimeDelta::minutes(1));
    assert_eq!(objects.abandoned(earlier, false).await.expect("looked"), 0);
    assert_eq!(objects.abandoned(soon, false).await.expect("looked"), 1);
    assert_eq!(objects.abandoned(soon, true).await.expect("removed"), 1);
    assert_eq!(objects.abandoned(soon, false).await.expect("looked"), 0);
}

#[test]
fn a_location_is_a_folder_or_a_bucket_without_credentials() {
    let url = |text: &str| text.parse::<ObjectsUrl>();
    assert_eq!(url("memory:").expect("memory"), ObjectsUrl::Memory);
    for folder in ["/srv/objects", "file:///srv/objects"] {
        assert_eq!(url(folder).expect("a folder"), ObjectsUrl::Folder("/srv/objects".into()));
    }
    assert!(matches!(url("s3://bucket/prefix"), Ok(ObjectsUrl::Bucket(_))));
    for bad in ["", "ftp://bucket/prefix", "s3://key:secret@bucket", "s3://bucket?x=1", "s3://"] {
        assert!(url(bad).is_err(), "{bad}");
    }
    let beside = |url| ObjectsUrl::beside(url).map(|url| url.to_string());
    assert_eq!(beside("sqlite://steward.db").as_deref(), Some("steward.db.objects"));
    assert_eq!(beside("sqlite:///srv/s.db?mode=rwc").as_deref(), Some("/srv/s.db.objects"));
    for none in ["sqlite::memory:", "sqlite://x?mode=memory", "postgres://localhost/steward"] {
        assert_eq!(beside(none), None, "{none}");
    }
}
