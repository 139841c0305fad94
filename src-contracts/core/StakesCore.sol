// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Parameters} from "src-contracts/Parameters.sol";
import {NodesCore} from "src-contracts/core/NodesCore.sol";
import {Node} from "src-contracts/types/Node.sol";
import {Params} from "src-contracts/types/Params.sol";

/// @notice Stake, bonds, the exit queue and slashing.
/// @dev SOLVENCY: for every owner, Σ stake of its nodes == tokens in its surrogate. A slash moves its tokens here at once, so
/// that ledger balances in DPU are always backed. LIABILITY: a bond is locked at claim and is at most the free stake; a slash
/// is at most the bond; queued stake cannot be locked again and leaves later than any lease can last.
abstract contract StakesCore is NodesCore {
    /* IMMUTABLES */

    /// @notice The DPU token.
    address public immutable TOKEN;

    /* STORAGE */

    mapping(address owner => address) internal _surrogates;
    /// @dev What every staker's surrogate is a clone of. Set once, by the Market's constructor.
    address internal _surrogateImplementation;

    constructor(address token) {
        TOKEN = token;
    }

    /* INTERNAL */

    /// @dev Stake that can be locked or queued.
    function _free(Node storage n) internal view returns (uint256) {
        return uint256(n.stake) - n.locked - _queued(n);
    }

    function _queued(Node storage n) private view returns (uint96) {
        return n.exiting ? n.queued : 0;
    }

    function _lock(uint32 id, Node storage n, uint256 bond, uint256 minStake) internal {
        (uint96 locked, uint256 staying) = (n.locked, n.stake); // one read of their slot
        if (n.exiting) staying -= n.queued;
        if (staying < minStake) revert StakeTooLow(id, staying, minStake);
        uint256 free = staying - locked;
        if (bond > free) revert StakeTooLow(id, free, bond);
        unchecked {
            // forge-lint: disable-next-line(unsafe-typecast)
            n.locked = locked + uint96(bond); // ≤ free ≤ stake
        }
    }

    /// @dev The part of a slash that funds the retry, in whole gwei; what rounding leaves goes to the treasury.
    function _retryGwei(uint256 amount, Params storage p) internal view returns (uint64) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint64(amount * p.retryBps / Parameters.BPS / 1 gwei); // the supply is 1e18 gwei, below 2^64
    }
}
