//! The tree of a document's revisions: what replicas tell each other instead of asking who is right.
//!
//! An edit adds a revision to the one that it was made of. Two edits of one revision are two branches, and the ends
//! of branches are leaves. All replicas that know the same revisions show the same one of the leaves, the winner, and
//! call the others conflicts until somebody deletes them. A replica may know the younger part of a branch alone.
//!
//! To merge trees is to unite them: in whatever order and however often, the result is the same.

use std::collections::{BTreeMap, BTreeSet};

use super::{InvalidRevision, Revision};

/// How many revisions of a branch are kept, from its leaf back: CouchDB's and PouchDB's default.
pub const REVISIONS_KEPT: i64 = 1_000;

/// What a tree knows of a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The hash of the revision of which it was made, if that is known. Of two that were claimed, the greater.
    pub parent: Option<String>,
    /// Whether the document is deleted as of it.
    pub deleted: bool,
    /// Whether no other was made of it.
    pub leaf: bool,
}

/// A revision and those from which it came, the younger before the older: `_revisions` of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    revisions: Vec<Revision>,
    deleted: bool,
}

impl Path {
    /// A path of hashes, each one generation before the one in front of it.
    ///
    /// # Errors
    /// Where one is no hash, there is none, or there are more than generations.
    pub fn new(start: i64, hashes: &[String], deleted: bool) -> Result<Self, InvalidRevision> {
        let revisions = (0_i64..).zip(hashes).map(|(back, hash)| Revision::new(start - back, hash));
        let revisions = revisions.collect::<Result<Vec<_>, _>>()?;
        if revisions.is_empty() { Err(InvalidRevision) } else { Ok(Self { revisions, deleted }) }
    }

    /// That of one revision, of which no more is known.
    pub fn of_one(revision: Revision, deleted: bool) -> Self {
        Self { revisions: vec![revision], deleted }
    }

    /// That of an edit.
    pub fn of_edit(parent: Option<Revision>, revision: Revision, deleted: bool) -> Self {
        Self { revisions: std::iter::once(revision).chain(parent).collect(), deleted }
    }

    /// The youngest revision.
    pub fn leaf(&self) -> &Revision {
        &self.revisions[0]
    }

    /// Whether the document is deleted as of the youngest.
    pub fn is_deleted(&self) -> bool {
        self.deleted
    }

    /// The revisions, the youngest first.
    pub fn revisions(&self) -> &[Revision] {
        &self.revisions
    }

    /// Leaves out what is older than so many revisions.
    pub fn stem(&mut self, kept: usize) {
        self.revisions.truncate(kept.max(1));
    }
}

/// The revisions of a document, or those of them that were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    nodes: BTreeMap<Revision, Node>,
}

impl FromIterator<(Revision, Node)> for Tree {
    fn from_iter<I: IntoIterator<Item = (Revision, Node)>>(nodes: I) -> Self {
        Self { nodes: nodes.into_iter().collect() }
    }
}

impl From<&Path> for Tree {
    fn from(path: &Path) -> Self {
        let nodes = path.revisions.iter().enumerate().map(|(back, revision)| {
            let parent = path.revisions.get(back + 1).map(|parent| parent.hash().to_owned());
            let leaf = back == 0;
            (revision.clone(), Node { parent, deleted: leaf && path.deleted, leaf })
        });
        nodes.collect()
    }
}

impl Tree {
    /// Adds what another tree knows.
    pub fn merge(&mut self, other: Self) {
        for (revision, node) in other.nodes {
            let known = self.nodes.entry(revision).or_insert_with(|| node.clone());
            known.leaf &= node.leaf;
            known.deleted |= node.deleted;
            if node.parent > known.parent {
                known.parent = node.parent;
            }
        }
    }

    /// What is known of a revision.
    pub fn get(&self, revision: &Revision) -> Option<&Node> {
        self.nodes.get(revision)
    }

    /// All revisions, from the first generation on.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Revision, &Node)> {
        self.nodes.iter()
    }

    /// The leaves: the winner, the other ones that are not deleted, and those that are; each group from its last
    /// generation back.
    pub fn leaves(&self) -> Vec<(&Revision, &Node)> {
        let mut leaves: Vec<_> = self.nodes.iter().rev().filter(|(_, node)| node.leaf).collect();
        leaves.sort_by_key(|(_, node)| node.deleted);
        leaves
    }

    /// The revision that stands for the document: not deleted before deleted, then of the last generation, then of
    /// the greatest hash.
    pub fn winner(&self) -> Option<(&Revision, &Node)> {
        self.leaves().into_iter().next()
    }

    /// A revision and those from which it came, as far as they are known.
    pub fn path(&self, revision: &Revision) -> Vec<Revision> {
        let mut path = Vec::new();
        let mut next = self.nodes.get_key_value(revision);
        while let Some((revision, node)) = next {
            path.push(revision.clone());
            let parent = node.parent.as_deref().map(|hash| revision.before(hash));
            next = parent.and_then(|parent| self.nodes.get_key_value(&parent));
        }
        path
    }

    /// The leaves that came from a revision, which is one of them if it is a leaf itself.
    pub fn latest(&self, revision: &Revision) -> Vec<&Revision> {
        let descend = |leaf: &&Revision| self.path(leaf).contains(revision);
        self.leaves().into_iter().map(|(leaf, _)| leaf).filter(descend).collect()
    }

    /// Leaves out each revision that is so many or more edits from every leaf that came from it, and gives those that
    /// it has left out.
    pub fn stem(&mut self, kept: i64) -> Vec<Revision> {
        let mut near = BTreeSet::new();
        let leaves = self.nodes.iter().filter(|(_, node)| node.leaf);
        for (leaf, _) in leaves {
            let mut path = self.path(leaf);
            path.truncate(usize::try_from(kept.max(1)).unwrap_or(usize::MAX));
            near.extend(path);
        }
        let far = |revision: &&Revision| !near.contains(*revision);
        let far: Vec<_> = self.nodes.keys().filter(far).cloned().collect();
        far.iter().for_each(|revision| drop(self.nodes.remove(revision)));
        far
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::Index};
    use rouchdb_core::{
        merge::{merge_tree, winning_rev},
        rev_tree::{NodeOpts, RevStatus, build_path_from_revs, collect_leaves},
    };

    use super::*;

    fn revision(text: &str) -> Revision {
        text.parse().expect("a revision")
    }

    /// A tree of paths such as `1-a 2-b 3-c!`, the oldest first; `!` is of one that is deleted.
    fn tree(paths: &[&str]) -> Tree {
        let mut tree = Tree::default();
        for path in paths {
            tree.merge(Tree::from(&self::path(path)));
        }
        tree
    }

    fn path(text: &str) -> Path {
        let deleted = text.ends_with('!');
        let revisions = text.trim_end_matches('!').split(' ').rev().map(revision).collect();
        Path { revisions, deleted }
    }

    fn leaves(tree: &Tree) -> Vec<String> {
        tree.leaves().into_iter().map(|(revision, _)| revision.to_string()).collect()
    }

    #[test]
    fn what_is_told_twice_is_known_once() {
        let once = tree(&["1-a 2-b"]);
        for again in ["1-a", "1-a 2-b", "2-b"] {
            assert_eq!(tree(&["1-a 2-b", again]), once, "{again}");
        }
    }

    #[test]
    fn an_edit_makes_a_leaf_and_two_of_one_revision_make_a_conflict() {
        assert_eq!(leaves(&tree(&["1-a 2-b", "2-b 3-c"])), ["3-c"]);
        assert_eq!(leaves(&tree(&["1-a 2-b", "1-a 2-c"])), ["2-c", "2-b"]);
        assert_eq!(leaves(&tree(&["1-a 2-b 3-c", "1-a 2-d", "2-b 3-e"])), ["3-e", "3-c", "2-d"]);
        assert_eq!(leaves(&tree(&["1-a", "1-b"])), ["1-b", "1-a"]);
    }

    #[test]
    fn parts_of_a_branch_are_joined_by_what_lies_between() {
        let parts = tree(&["1-a", "3-c"]);
        assert_eq!(leaves(&parts), ["3-c", "1-a"]);
        let whole = tree(&["1-a", "3-c", "1-a 2-b 3-c"]);
        assert_eq!(leaves(&whole), ["3-c"]);
        assert_eq!(whole, tree(&["1-a 2-b 3-c"]));
    }

    #[test]
    fn what_is_not_deleted_wins_then_the_longest_then_the_greatest() {
        let winner = |paths: &[&str]| tree(paths).winner().map(|(winner, _)| winner.to_string());
        assert_eq!(winner(&[]), None);
        assert_eq!(winner(&["1-a 2-b 3-c!", "1-a 2-d"]).as_deref(), Some("2-d"));
        assert_eq!(winner(&["1-a 2-b 3-c", "1-a 2-d"]).as_deref(), Some("3-c"));
        assert_eq!(winner(&["1-a 2-b", "1-a 2-d"]).as_deref(), Some("2-d"));
        assert_eq!(winner(&["1-a 2-b!", "1-a 2-d!"]).as_deref(), Some("2-d"));
        assert_eq!(winner(&["9-a", "10-a"]).as_deref(), Some("10-a"));
    }

    #[test]
    fn a_path_goes_back_as_far_as_it_is_known() {
        let known = tree(&["1-a 2-b 3-c", "2-b 3-d", "5-e"]);
        let path = |of: &str| known.path(&revision(of));
        assert_eq!(path("3-d"), ["3-d", "2-b", "1-a"].map(revision));
        assert_eq!(path("5-e"), ["5-e"].map(revision));
        assert!(path("4-x").is_empty());
        let latest = |of: &str| -> Vec<Revision> {
            known.latest(&revision(of)).into_iter().cloned().collect()
        };
        assert_eq!(latest("1-a"), ["3-d", "3-c"].map(revision));
        assert_eq!(latest("3-c"), ["3-c"].map(revision));
        assert!(latest("4-x").is_empty());
    }

    #[test]
    fn stemming_keeps_what_a_leaf_needs() {
        let mut long = tree(&["1-a 2-b 3-c 4-d", "2-b 3-e"]);
        let left_out = long.stem(2);
        assert_eq!(left_out, [revision("1-a")]);
        assert_eq!(leaves(&long), ["4-d", "3-e"]);
        // What another leaf needs stays in its path.
        assert_eq!(long.path(&revision("4-d")), ["4-d", "3-c", "2-b"].map(revision));
        assert_eq!(long.path(&revision("3-e")), [revision("3-e"), revision("2-b")]);
        assert!(long.stem(2).is_empty());
        assert_eq!(leaves(&tree(&["1-a"])), ["1-a"]);
    }

    #[test]
    fn of_two_parents_one_is_known_whoever_tells_first() {
        let (one, other) = (tree(&["1-a 2-c", "1-b 2-c"]), tree(&["1-b 2-c", "1-a 2-c"]));
        assert_eq!(one, other);
        assert_eq!(leaves(&one), ["2-c"]);
    }

    #[test]
    fn a_path_is_of_generations_that_there_are() {
        let hashes = |hashes: &[&str]| hashes.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let path = Path::new(2, &hashes(&["b", "a"]), false).expect("a path");
        assert_eq!(path.revisions(), [revision("2-b"), revision("1-a")]);
        assert_eq!(Path::new(1, &hashes(&["b", "a"]), false), Err(InvalidRevision));
        assert_eq!(Path::new(1, &[], false), Err(InvalidRevision));
        assert_eq!(Path::new(2, &hashes(&["b", ""]), false), Err(InvalidRevision));
    }

    /// The paths to some revisions of one history, each cut somewhere: what replicas tell each other.
    fn told() -> impl Strategy<Value = Vec<Path>> {
        let edits = vec((any::<Index>(), any::<bool>()), 1..24);
        let told = vec((any::<Index>(), 1_usize..8), 1..16);
        (edits, told).prop_map(|(edits, told)| {
            let mut history: Vec<Path> = Vec::new();
            for (number, (parent, deleted)) in edits.into_iter().enumerate() {
                let of = parent.index(history.len() + 1).checked_sub(1);
                let before = of.map_or(&[][..], |of| history[of].revisions());
                let generation = before.first().map_or(1, |parent| parent.generation() + 1);
                let hash = format!("{:x}", number.wrapping_mul(0x9e37_79b9) % 0xffff);
                let edit = Revision::new(generation, hash).expect("a revision");
                let revisions = std::iter::once(edit).chain(before.iter().cloned()).collect();
                history.push(Path { revisions, deleted });
            }
            let told = told.into_iter().map(|(which, length)| {
                let mut path = history[which.index(history.len())].clone();
                path.stem(length);
                path
            });
            told.collect()
        })
    }

    fn merged<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Tree {
        paths.into_iter().fold(Tree::default(), |mut tree, path| {
            tree.merge(Tree::from(path));
            tree
        })
    }

    proptest! {
        #[test]
        fn the_order_and_the_grouping_of_merges_do_not_matter(
            paths in told(),
            cut in any::<Index>(),
            turn in any::<Index>(),
        ) {
            let all = merged(&paths);
            let mut turned = paths.clone();
            turned.rotate_left(turn.index(paths.len()));
            prop_assert_eq!(&merged(&turned), &all);
            prop_assert_eq!(&merged(paths.iter().rev()), &all);
            let (one, other) = paths.split_at(cut.index(paths.len()));
            let mut joined = merged(one);
            joined.merge(merged(other));
            prop_assert_eq!(&joined, &all);
            joined.merge(all.clone());
            prop_assert_eq!(&joined, &all);
        }

        #[test]
        fn leaves_stay_what_they_are_when_a_tree_is_stemmed(paths in told(), kept in 1_i64..6) {
            let all = merged(&paths);
            let mut stemmed = all.clone();
            let left_out = stemmed.stem(kept);
            prop_assert_eq!(stemmed.leaves(), all.leaves());
            for (leaf, _) in all.leaves() {
                let kept = usize::try_from(kept).expect("a few");
                let path = all.path(leaf);
                let left = stemmed.path(leaf);
                prop_assert!(path.starts_with(&left));
                prop_assert!(left.len() >= path.len().min(kept));
            }
            prop_assert_eq!(stemmed.iter().count() + left_out.len(), all.iter().count());
        }

        /// The other implementation is that of `rouchdb`, a CouchDB client, which follows PouchDB's line by line.
        #[test]
        fn another_implementation_finds_the_same_winner_and_conflicts(paths in told()) {
            let theirs = paths.iter().fold(Vec::new(), |tree, path| {
                let pos = path.leaf().generation().unsigned_abs();
                let hashes: Vec<_> = path.revisions.iter().map(|it| it.hash().to_owned()).collect();
                let deleted = NodeOpts { deleted: path.deleted };
                let path = build_path_from_revs(pos, &hashes, deleted, RevStatus::Available);
                merge_tree(&tree, &path, 1_000).0
            });
            let ours = merged(&paths);
            let winner = ours.winner().map(|(winner, _)| winner.to_string());
            prop_assert_eq!(winner, winning_rev(&theirs).map(|winner| winner.to_string()));
            let leaves = ours.leaves().into_iter();
            let leaves = leaves.map(|(leaf, node)| (leaf.to_string(), node.deleted));
            // Where two roots of theirs turn out to be one, a leaf can be in both.
            let their_leaves = collect_leaves(&theirs).into_iter();
            let their_leaves = their_leaves.map(|leaf| (leaf.rev_string(), leaf.deleted));
            prop_assert_eq!(leaves.collect::<BTreeSet<_>>(), their_leaves.collect());
        }

        #[test]
        fn each_leaf_is_the_end_of_its_own_path(paths in told()) {
            let all = merged(&paths);
            for (leaf, node) in all.iter() {
                prop_assert_eq!(all.latest(leaf) == [leaf], node.leaf);
            }
        }
    }
}
