//! Room in lists that are small and many.

/// Makes room in a full list for some more, an eighth at least. Doubling would leave a third of the
/// memory unused, and a world has a million nodes with five such lists each.
pub(crate) fn make_room<T>(list: &mut Vec<T>) {
    if list.len() == list.capacity() {
        list.reserve_exact(SOME + list.len() / 8);
    }
}

/// Guess: no list grows more than six times before it has what most nodes have, some dozens.
const SOME: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_room_is_left_and_lists_seldom_grow() {
        let mut list = Vec::new();
        let mut grown = 0;
        for item in 0..1_000 {
            let before = list.capacity();
            make_room(&mut list);
            grown += u32::from(list.capacity() > before);
            list.push(item);
            assert!(list.capacity() <= list.len() + SOME + list.len() / 8);
        }
        assert!(grown < 40, "{grown}");
    }
}
