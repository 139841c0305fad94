// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Phase} from "src-contracts/types/Lease.sol";

/// @notice The first of the two storage words of a range that several nodes compute: `flags 8 | openedAt 40 | postBlock 40 | postedAt 40 |
/// rampFrom 40 | movedAt 40 | count 16 | sitting 4 | committed 4 | asked 4 | convicted 4 | marks 16`, in the range's slot, with the phase
/// `Seated`. The second is the `Bench`.
type PanelWord is uint256;

/// @notice A panel's word in memory, as views return it.
struct Panel {
    /// SOLO when the range is the whole job.
    uint8 flags;
    /// When the first seat was claimed; of an audit, when the first seat had committed.
    uint40 openedAt;
    /// Block and second of the post (of an audit, of the commit): those who join are drawn by the block after it.
    uint40 postBlock;
    uint40 postedAt;
    /// Where the price ramp began.
    uint40 rampFrom;
    /// Second of the last commit or lapse.
    uint40 movedAt;
    /// Shards of the range.
    uint16 count;
    /// Nodes that sit, and how many of them have committed.
    uint8 sitting;
    uint8 committed;
    /// Seats: 3 or 5 as the terms ask, 2 in an audit.
    uint8 asked;
    /// Seats that a jury has dealt with: found wrong, or excused. They count as committed, never for a quorum.
    uint8 convicted;
    /// `BONUS`, `SPOKEN`, `POOL`.
    uint16 marks;
}

/// @notice How a panel ended.
enum Outcome {
    /// A quorum showed the same root.
    Agreed,
    /// Results were shown, none by a quorum.
    Unresolved,
    /// Nobody showed anything.
    Silent
}

using PanelLib for PanelWord global;

/// @dev The fields are read from the word where they are needed: a `Panel` in memory costs about 900 gas to fill, to read and to pack again.
library PanelLib {
    /// A bonus of lapsed seats waits for the next who joins.
    uint16 internal constant BONUS = 1;
    /// Some seat was revealed by itself: its word is under the seat's key.
    uint16 internal constant SPOKEN = 2;
    /// The auditor is paid by the protocol, not from the job's escrow.
    uint16 internal constant POOL = 4;
    /// Seats of an audit: who holds the lease, and who checks.
    uint8 internal constant AUDIT = 2;

    /// Where the fields begin that change.
    uint256 private constant MOVED_AT = 48;
    uint256 private constant SITTING = 28;
    uint256 private constant COMMITTED = 24;
    uint256 private constant ASKED = 20;
    uint256 private constant CONVICTED = 16;

    /* MAKING */

    /// @notice A panel that opens at `openedAt_`, with nobody on it. Every argument fits its field.
    function opened(
        uint8 flags_,
        uint256 openedAt_,
        uint256 postBlock_,
        uint256 postedAt_,
        uint256 rampFrom_,
        uint16 count_,
        uint256 asked_
    ) internal pure returns (PanelWord) {
        return PanelWord.wrap(
            (uint256(flags_ | uint8(Phase.Seated)) << 248) | (openedAt_ << 208) | (postBlock_ << 168)
                | (postedAt_ << 128) | (rampFrom_ << 88) | (openedAt_ << MOVED_AT) | (uint256(count_) << 32)
                | (asked_ << ASKED)
        );
    }

    /// @notice An audit's panel: the holder, who committed at `at_` in block `atBlock_`, and its auditor, who is still to commit.
    function audited(uint8 flags_, uint256 at_, uint256 atBlock_, uint16 count_) internal pure returns (PanelWord) {
        uint256 empty = PanelWord.unwrap(opened(flags_, at_, atBlock_, at_, at_, count_, AUDIT));
        return PanelWord.wrap(empty | (2 << SITTING) | (1 << COMMITTED));
    }

    /* FIELDS */

    /// @notice Whether a word in a range's slot is a panel's.
    function isPanel(PanelWord self) internal pure returns (bool) {
        return (PanelWord.unwrap(self) >> 248) & 0x0f == uint8(Phase.Seated);
    }

    function flags(PanelWord self) internal pure returns (uint8) {
        return uint8(PanelWord.unwrap(self) >> 248) & 0xf0;
    }

    function openedAt(PanelWord self) internal pure returns (uint256) {
        return uint40(PanelWord.unwrap(self) >> 208);
    }

    function postBlock(PanelWord self) internal pure returns (uint256) {
        return uint40(PanelWord.unwrap(self) >> 168);
    }

    function postedAt(PanelWord self) internal pure returns (uint256) {
        return uint40(PanelWord.unwrap(self) >> 128);
    }

    function rampFrom(PanelWord self) internal pure returns (uint256) {
        return uint40(PanelWord.unwrap(self) >> 88);
    }

    function movedAt(PanelWord self) internal pure returns (uint256) {
        return uint40(PanelWord.unwrap(self) >> MOVED_AT);
    }

    function count(PanelWord self) internal pure returns (uint16) {
        return uint16(PanelWord.unwrap(self) >> 32);
    }

    function sitting(PanelWord self) internal pure returns (uint256) {
        return (PanelWord.unwrap(self) >> SITTING) & 0x0f;
    }

    function committed(PanelWord self) internal pure returns (uint256) {
        return (PanelWord.unwrap(self) >> COMMITTED) & 0x0f;
    }

    function asked(PanelWord self) internal pure returns (uint256) {
        return (PanelWord.unwrap(self) >> ASKED) & 0x0f;
    }

    function convicted(PanelWord self) internal pure returns (uint256) {
        return (PanelWord.unwrap(self) >> CONVICTED) & 0x0f;
    }

    function has(PanelWord self, uint16 mark) internal pure returns (bool) {
        return PanelWord.unwrap(self) & mark != 0;
    }

    /// @notice All fields, for views.
    function unpack(PanelWord self) internal pure returns (Panel memory p) {
        uint256 word = PanelWord.unwrap(self);
        p.flags = self.flags();
        p.openedAt = uint40(word >> 208);
        p.postBlock = uint40(word >> 168);
        p.postedAt = uint40(word >> 128);
        p.rampFrom = uint40(word >> 88);
        p.movedAt = uint40(word >> MOVED_AT);
        p.count = self.count();
        // forge-lint: disable-start(unsafe-typecast)
        p.sitting = uint8(self.sitting()); // four bits each
        p.committed = uint8(self.committed());
        p.asked = uint8(self.asked());
        p.convicted = uint8(self.convicted());
        // forge-lint: disable-end(unsafe-typecast)
        p.marks = uint16(word);
    }

    /* CHANGES */

    /// @notice With one more node. At most eleven ever sit, so no count leaves its four bits.
    function join(PanelWord self) internal pure returns (PanelWord) {
        return PanelWord.wrap(PanelWord.unwrap(self) + (1 << SITTING));
    }

    /// @notice With one node less; there is one.
    function leave(PanelWord self) internal pure returns (PanelWord) {
        return PanelWord.wrap(PanelWord.unwrap(self) - (1 << SITTING));
    }

    /// @notice With one more commitment, made now.
    function commit(PanelWord self) internal view returns (PanelWord) {
        return PanelWord.wrap(PanelWord.unwrap(self.move()) + (1 << COMMITTED));
    }

    /// @notice With now as the second of the last commit or lapse.
    function move(PanelWord self) internal view returns (PanelWord) {
        return PanelWord.wrap(
            (PanelWord.unwrap(self) & ~(uint256(type(uint40).max) << MOVED_AT)) | (block.timestamp << MOVED_AT)
        );
    }

    /// @notice With one more seat that a jury has dealt with.
    function convict(PanelWord self) internal pure returns (PanelWord) {
        return PanelWord.wrap(PanelWord.unwrap(self) + (1 << CONVICTED));
    }

    /// @notice With `seats` asked.
    function ask(PanelWord self, uint256 seats) internal pure returns (PanelWord) {
        return PanelWord.wrap((PanelWord.unwrap(self) & ~(uint256(0x0f) << ASKED)) | (seats << ASKED));
    }

    function mark(PanelWord self, uint16 mark_) internal pure returns (PanelWord) {
        return PanelWord.wrap(PanelWord.unwrap(self) | mark_);
    }

    function unmark(PanelWord self, uint16 mark_) internal pure returns (PanelWord) {
        return PanelWord.wrap(PanelWord.unwrap(self) & ~uint256(mark_));
    }
}
