// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {StakeSurrogate} from "src-contracts/StakeSurrogate.sol";
import {Nodes} from "src-contracts/extension/Nodes.sol";
import {INodes} from "src-contracts/interfaces/INodes.sol";
import {Node} from "src-contracts/types/Node.sol";

/// @notice Stake in, the exit queue, stake out.
abstract contract Stakes is Nodes {
    using SafeERC20 for IERC20;

    /* OWNER */

    /// @inheritdoc INodes
    function stake(uint32 id, uint256 amount) external nonReentrant {
        Node storage n = _owned(id);
        require(amount != 0, AmountZero());

        // forge-lint: disable-next-line(unsafe-typecast)
        uint96 total = n.stake + uint96(amount); // DPU's whole supply fits in 90 bits; more cannot be transferred below
        _moveStake(n.runtimes, n.stake, total);
        n.stake = total;
        n.since = uint40(block.timestamp);

        emit Staked(id, msg.sender, amount, total, uint40(block.timestamp));

        IERC20(TOKEN).safeTransferFrom(msg.sender, _surrogate(msg.sender), amount);
    }

    /// @inheritdoc INodes
    function queueUnstake(uint32 id, uint256 amount) external {
        Node storage n = _owned(id);
        require(amount != 0, AmountZero());
        uint256 free = _free(n);
        require(amount <= free, StakeTooLow(id, free, amount));

        n.exiting = true;
        // forge-lint: disable-next-line(unsafe-typecast)
        n.queued += uint96(amount); // ≤ free ≤ stake
        n.unstakeAt = uint40(block.timestamp) + _unbonding;

        emit UnstakeQueued(id, amount, n.queued, n.unstakeAt);
    }

    /// @inheritdoc INodes
    function cancelUnstake(uint32 id) external {
        Node storage n = _owned(id);
        uint256 amount = n.queued;
        require(amount != 0, NothingQueued(id));

        n.exiting = false;
        n.queued = 0;
        n.unstakeAt = 0;

        emit UnstakeCancelled(id, amount);
    }

    /// @inheritdoc INodes
    function unstake(uint32 id, address to) external nonReentrant {
        Node storage n = _owned(id);
        uint96 amount = n.queued;
        require(amount != 0, NothingQueued(id));
        require(block.timestamp >= n.unstakeAt, UnstakeTooEarly(id, n.unstakeAt));
        require(to != address(0), AddressZero());

        _moveStake(n.runtimes, n.stake, n.stake - amount);
        n.stake -= amount;
        n.exiting = false;
        n.queued = 0;
        n.unstakeAt = 0;

        emit Unstaked(id, to, amount, n.stake);

        StakeSurrogate(_surrogates[msg.sender]).release(to, amount);
    }

    /// @inheritdoc INodes
    function delegateStake(address delegatee) external nonReentrant {
        address surrogate = _surrogate(msg.sender);

        emit StakeDelegated(msg.sender, surrogate, delegatee);

        StakeSurrogate(surrogate).delegate(delegatee);
    }

    /// @inheritdoc INodes
    function surrogateOf(address owner) external view returns (address) {
        return _surrogates[owner];
    }

    /* INTERNAL */

    function _surrogate(address owner) private returns (address surrogate) {
        surrogate = _surrogates[owner];
        if (surrogate == address(0)) {
            address implementation = _surrogateImplementation;
            // Only the Market has one: stake sent to the extension itself would be lost in an empty clone.
            require(implementation != address(0), AddressZero());
            surrogate = Clones.cloneDeterministic(implementation, bytes32(uint256(uint160(owner))));
            _surrogates[owner] = surrogate;
            emit StakeDelegated(owner, surrogate, owner);
            StakeSurrogate(surrogate).initialize(owner);
        }
    }
}
