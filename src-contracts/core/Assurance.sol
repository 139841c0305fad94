// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Blockhash} from "@openzeppelin/contracts/utils/Blockhash.sol";
import {Parameters} from "src-contracts/Parameters.sol";
import {StakesCore} from "src-contracts/core/StakesCore.sol";
import {PanelLib, PanelWord} from "src-contracts/types/Panel.sol";
import {Rules} from "src-contracts/types/Rules.sol";
import {Terms} from "src-contracts/types/Terms.sol";

/// @notice What decides whether a result is believed: how many seats, when they may speak, and until when they may be doubted. See
/// `docs/assurance.md`.
/// @dev AUDITS: the draw is seeded by the block after the commit, so nobody knows it when the result is chosen. One roll decides twice: below the
/// base rate the protocol pays the auditor, up to base + bought the requester does.
abstract contract Assurance is StakesCore {
    /// @dev Odd numbers of seats that jobs may ask for, where governance has opened panels.
    function _seatsOffered(uint256 seats) internal pure returns (bool) {
        return seats == 3 || seats == 5;
    }

    /// @dev Last second at which a node may join a panel.
    function _joinUntil(Terms calldata terms, PanelWord p) internal pure returns (uint256) {
        return p.openedAt() + 2 * uint256(terms.exec());
    }

    /// @dev First second at which seats may be revealed: when all have committed; or when joining is over and whoever sits has committed,
    /// so that nobody can see an answer and still choose its own. `ready` is false while somebody may still commit. Nobody joins an
    /// audit after its auditor.
    function _panelOpens(Terms calldata terms, PanelWord p) internal view returns (bool ready, uint256 opens) {
        opens = p.movedAt();
        if (p.committed() == p.asked()) return (true, opens);
        if (p.asked() == PanelLib.AUDIT) return (false, 0);
        uint256 over = _joinUntil(terms, p) + 1;
        if (block.timestamp < over || p.committed() != p.sitting()) return (false, 0);
        return (true, opens > over ? opens : over);
    }

    /// @dev Whether the lease at `first`, committed in `committedBlock`, is drawn for an audit, and whether the protocol pays it (`pooled`) or the
    /// job's escrow. `ready` is false before the seed's block is mined. A seed that is out of reach counts as drawn: waiting it out
    /// must not be a way around the audit.
    function _auditDraw(Terms calldata terms, bytes32 id, uint32 first, uint256 committedBlock)
        internal
        view
        returns (bool ready, bool drawn, bool pooled)
    {
        uint256 base = terms.rules.auditBps(terms.runtime());
        uint256 bought = terms.auditBps();
        if (base + bought == 0) return (true, false, false);
        if (block.number <= committedBlock + 1) return (false, false, false);
        bytes32 seed = Blockhash.blockHash(committedBlock + 1);
        uint256 roll = seed == 0 ? 0 : uint256(keccak256(abi.encode(seed, id, first, "audit"))) % Parameters.BPS;
        return (true, seed == 0 || roll < base + bought, roll < base);
    }

    /// @dev First second at which the holder of a single lease may reveal: at once, or after the audit's window when the lease was drawn and no
    /// auditor came (with an auditor it is a panel of two).
    function _revealOpens(Terms calldata terms, bytes32 id, uint32 first, uint256 committedAt, uint256 committedBlock)
        internal
        view
        returns (bool ready, uint256 opens)
    {
        bool drawn;
        (ready, drawn,) = _auditDraw(terms, id, first, committedBlock);
        if (ready) opens = drawn ? committedAt + terms.rules.auditWindow() : committedAt;
    }

    /// @dev Last second at which a reveal is in time.
    function _revealCloses(Terms calldata terms, uint256 opens) internal pure returns (uint256) {
        return opens + terms.rules.revealWindow();
    }

    /// @dev Last second at which a revealed lease cannot be paid yet. Without a window there is none: nobody may challenge, so the
    /// holder may be paid in the very transaction that shows the result.
    function _heldUntil(Terms calldata terms, uint256 revealedAt) internal pure returns (uint256) {
        uint256 window = terms.window();
        return window == 0 ? 0 : revealedAt + window;
    }
}
