// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Parameters} from "src-contracts/Parameters.sol";
import {LedgerCore} from "src-contracts/core/LedgerCore.sol";
import {NodeFacts} from "src-contracts/interfaces/INodes.sol";
import {Node} from "src-contracts/types/Node.sol";

/// @notice Who may work: owners, hot keys, runtimes, tiers, records.
/// @dev ROLES: the owner (cold key) moves stake and changes the node; the operator (hot key) works and may move the endpoint.
abstract contract NodesCore is LedgerCore, NodeFacts {
    /* STORAGE */

    mapping(uint32 id => Node) internal _nodes;
    mapping(address operator => uint32) internal _nodeOf;
    /// @dev Stake of all nodes that offer a runtime: the denominator of the draw.
    mapping(uint8 runtime => uint96) internal _runtimeStake;

    /* INTERNAL */

    /// @dev Keeps the stake per runtime, the draw's denominator. At most 31 turns, on cold paths only.
    function _moveStake(uint32 runtimes, uint96 from, uint96 to) internal {
        if (from == to) return;
        for (uint8 r = 1; r <= Parameters.MAX_RUNTIME; ++r) {
            if (runtimes & (uint32(1) << r) != 0) _runtimeStake[r] = _runtimeStake[r] - from + to;
        }
    }

    /// @dev Returns the node, so that nobody hashes its place again.
    function _requireOperator(uint32 id) internal view returns (Node storage n) {
        n = _nodes[id];
        if (n.operator != msg.sender) revert NotNodeOperator(id, msg.sender);
    }
}
