// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Slashing} from "src-contracts/court/Slashing.sol";
import {Node} from "src-contracts/types/Node.sol";

/// @notice Who puts DPU into a dispute: an account, out of its balance; or a node, whose stake is locked until it is spent.
abstract contract Parties is Slashing {
    /// @dev One side of a dispute.
    struct Party {
        /// Zero when `node` pays.
        address account;
        uint32 node;
    }

    /// @dev The caller, by itself or as the operator of `nodeId`.
    function _caller(uint32 nodeId) internal view returns (Party memory) {
        if (nodeId == 0) return Party(msg.sender, 0);
        _requireOperator(nodeId);
        return Party(address(0), nodeId);
    }

    /// @dev Who gains and loses.
    function _ownerOf(Party memory party) internal view returns (address) {
        return party.node == 0 ? party.account : _nodes[party.node].owner;
    }

    /// @dev Sets `amount` aside.
    function _pledge(Party memory party, uint256 amount) internal {
        if (party.node == 0) _debit(TOKEN, party.account, amount);
        else _lock(party.node, _nodes[party.node], amount, 0);
    }

    /// @dev Spends `amount` of what was set aside: `burnt` of it is burnt, the caller books the rest.
    function _spend(Party memory party, uint256 amount, uint256 burnt) internal {
        if (party.node != 0) _seize(party.node, amount, amount, burnt, 0);
        else _burn(burnt);
    }

    /// @dev Gives `amount` of what was set aside back.
    function _release(Party memory party, uint256 amount) internal {
        if (party.node == 0) {
            _credit(TOKEN, party.account, amount);
        } else {
            Node storage n = _nodes[party.node];
            // forge-lint: disable-next-line(unsafe-typecast)
            n.locked -= uint96(amount); // what `_pledge` added
        }
    }
}
