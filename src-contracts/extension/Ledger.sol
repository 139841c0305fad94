// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {MarketCore} from "src-contracts/core/MarketCore.sol";
import {ILedger} from "src-contracts/interfaces/ILedger.sol";
import {Params} from "src-contracts/types/Params.sol";
import {Rules} from "src-contracts/types/Rules.sol";

/// @notice Money in and out.
abstract contract Ledger is MarketCore, ILedger {
    using SafeERC20 for IERC20;

    /* MONEY IN AND OUT */

    /// @inheritdoc ILedger
    function deposit(address currency, address account, uint256 amount) public nonReentrant {
        require(_allowed[currency], CurrencyNotAllowed(currency));
        require(account != address(0), AddressZero());
        require(amount != 0, AmountZero());

        uint256 received = _pull(currency, amount);
        require(received <= type(uint96).max, AmountTooLarge(received));
        _credit(currency, account, received);

        emit Deposited(currency, account, msg.sender, received);
    }

    /// @inheritdoc ILedger
    function depositWithPermit(address currency, uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
    {
        permit(currency, amount, deadline, v, r, s);
        deposit(currency, msg.sender, amount);
    }

    /// @inheritdoc ILedger
    function permit(address currency, uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) public {
        // A front-runner may have used the signature already; then the allowance is there and the next step succeeds.
        try IERC20Permit(currency).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
    }

    /// @inheritdoc ILedger
    function withdraw(address currency, address to, uint256 amount) external nonReentrant {
        require(to != address(0), AddressZero());
        require(amount != 0, AmountZero());

        _debit(currency, msg.sender, amount);

        emit Withdrawn(currency, msg.sender, to, amount);

        IERC20(currency).safeTransfer(to, amount);
    }

    /// @inheritdoc ILedger
    function collectFees(address currency, address[] calldata accounts) external {
        uint256 amount;
        for (uint256 i; i < accounts.length; ++i) {
            uint256 word = _accounts[currency][accounts[i]];
            amount += word >> 128;
            _accounts[currency][accounts[i]] = uint128(word);
        }
        require(amount != 0, AmountZero());
        _credit(currency, _treasury, amount);

        emit FeesCollected(currency, _treasury, amount);
    }

    /* VIEWS */

    /// @inheritdoc ILedger
    function balanceOf(address currency, address account) public view returns (uint256) {
        return uint128(_accounts[currency][account]);
    }

    /// @inheritdoc ILedger
    function feesOf(address currency, address account) external view returns (uint256) {
        return _accounts[currency][account] >> 128;
    }

    /// @inheritdoc ILedger
    function params(uint16 version) external view returns (Params memory) {
        uint16 newest = _gate.rules.version();
        require(version != 0 && version <= newest, ParamsVersion(version, newest));
        return _params[version];
    }

    /// @inheritdoc ILedger
    function config()
        external
        view
        returns (Rules rules, uint40 pausedUntil, uint96 minStake, uint32 unbonding, uint32 nodeCount)
    {
        Gate memory gate = _gate;
        return (gate.rules, gate.pausedUntil, uint96(gate.minStake) * 1 ether, _unbonding, _nodeCount);
    }

    /* INTERNAL */

    /// @dev Takes tokens from the caller and returns what really arrived.
    function _pull(address currency, uint256 amount) private returns (uint256 received) {
        uint256 before = IERC20(currency).balanceOf(address(this));
        IERC20(currency).safeTransferFrom(msg.sender, address(this), amount);
        received = IERC20(currency).balanceOf(address(this)) - before;
    }
}
